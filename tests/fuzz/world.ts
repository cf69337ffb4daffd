// What the calls of a round have in common: objects of the library, tensors to watch, and errors of the round's own.

import type { Library } from "../implementations.js";
import type { Data } from "../tensors.js";
import { Random } from "./random.js";

/** An error of code that a call was given: it has to come out as it is. */
export class OwnError extends Error {
  override name = "OwnError";
}

export class World {
  readonly library: Library;
  readonly random: Random;
  readonly schedulers: any[] = [];
  readonly generators: any[] = [];
  readonly pipelines: any[] = [];
  /** Resident tensors that may be in use, and what frees them. */
  residents: { data: Data; dims: readonly number[]; free(): void }[] = [];
  /** Arrays that the current call was given, each with a copy. */
  watched: { values: Data; copy: Data }[] = [];
  /** The states of the generators before the current call. */
  states: Uint8Array[] = [];
  /** Whether code of the call's arguments has changed memory itself. */
  hasMeddled = false;
  /** What the call's arguments have thrown. */
  thrown: unknown[] = [];

  constructor(library: Library, seed: number) {
    this.library = library;
    this.random = new Random(seed);
    this.schedulers.push(new library.DDIMScheduler());
    this.schedulers[0].setTimesteps(10);
    this.generators.push(new library.Generator(seed));
    this.pipelines.push(new library.DiffusionPipeline({ scheduler: this.schedulers[0], model: (x: any) => x }));
  }

  /** Begins a call. */
  begin(): void {
    this.watched = [];
    this.states = [];
    this.thrown = [];
    this.hasMeddled = false;
  }

  /** Throws something, which is noted. */
  throwOwn(): never {
    const error = this.random.pick([new OwnError("own"), new OwnError("own"), "a string", 7, null, undefined]);
    this.thrown.push(error);
    throw error;
  }

  /** Notes an array that a call is given. */
  watch<T extends Data>(values: T): T {
    this.watched.push({ values, copy: values });
    return values;
  }

  /** Runs code of an argument: what it throws has to come out as it is. */
  own<T>(code: () => T): T {
    try {
      return code();
    } catch (error) {
      this.thrown.push(error);
      throw error;
    }
  }

  /** Remembers what is in the arrays, and where the generators are, right before the library is called. */
  seal(): void {
    if (this.random.chance(0.1)) this.states = this.generators.map((generator) => generator.getState());
    for (const each of this.watched) if (each.values.length > 0) each.copy = each.values.slice();
  }

  /** Keeps an object for further calls, and forgets an earlier one: the first is a right one and stays. */
  keep(list: any[], item: any): void {
    list.push(item);
    if (list.length > 6) list.splice(1, 1);
  }

  /** A resident tensor, of a small shape. */
  allocate(dims: readonly number[], type: "float32" | "float16"): any {
    const tensor = this.library.allocate(dims, type) as any;
    this.residents.push(tensor);
    // Some are freed as time goes by, and none is forgotten: the round's end finds all memory free.
    if (this.residents.length > 20) this.residents.shift()!.free();
    return tensor;
  }

  /** What hostile code does in the middle of a call. */
  meddle(): void {
    this.hasMeddled = true;
    this.own(() => this.#meddle());
  }

  #meddle(): void {
    const { random } = this;
    switch (random.below(7)) {
      case 0:
        this.residents.shift()?.free();
        break;
      case 1:
        this.allocate([1 + random.below(40_000)], "float32");
        break;
      case 2: {
        const { values } = this.watched[random.below(Math.max(this.watched.length, 1))] ?? {};
        if (values?.buffer instanceof ArrayBuffer && !this.isResident(values)) detach(values.buffer);
        break;
      }
      case 3: {
        const { buffer } = this.watched[random.below(Math.max(this.watched.length, 1))]?.values ?? {};
        if ((buffer as { resizable?: boolean } | undefined)?.resizable) {
          const { maxByteLength } = buffer as unknown as { maxByteLength: number };
          (buffer as unknown as { resize(length: number): void }).resize(random.below(maxByteLength + 1));
        }
        break;
      }
      case 4:
        random.pick(this.schedulers).setTimesteps(1 + random.below(10));
        break;
      case 5:
        random.pick(this.generators).randn([random.below(30)]);
        break;
      case 6:
        this.schedulers[0].step(new Float32Array(3), new Float32Array(3), 5);
        break;
    }
  }

  /** Whether values are in the module's memory, in a tensor that has been freed perhaps: nobody may detach that. */
  isResident(values: Data): boolean {
    return values.buffer === probeMemory(this.library).buffer;
  }

  /** Frees what the round has allocated. */
  end(): void {
    for (const tensor of this.residents) tensor.free();
    this.residents = [];
  }
}

/** The module's memory, and where a small tensor would be in it. */
export function probeMemory(library: Library): { buffer: ArrayBufferLike; byteOffset: number } {
  const probe = library.allocate([1]);
  const { buffer, byteOffset } = probe.data;
  probe.free();
  return { buffer, byteOffset };
}

export function detach(buffer: ArrayBuffer): void {
  structuredClone(buffer, { transfer: [buffer] });
}
