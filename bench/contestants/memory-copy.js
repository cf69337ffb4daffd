// For scale: the module's bytes moved and nothing computed. One memory.copy inside a WebAssembly memory that reads and
// writes together as many bytes as the operation does.

// (module (import "" "" (memory 0)) (func (export "") (param i32 i32 i32)
//   (memory.copy (local.get 0) (local.get 1) (local.get 2))))
const module = new WebAssembly.Module(
  Uint8Array.from(
    [
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      [0x01, 0x07, 0x01, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x00], // type: three i32
      [0x02, 0x06, 0x01, 0x00, 0x00, 0x02, 0x00, 0x00], // import: the memory
      [0x03, 0x02, 0x01, 0x00], // function 0 has type 0
      [0x07, 0x04, 0x01, 0x00, 0x00, 0x00], // export: function 0
      [0x0a, 0x0e, 0x01, 0x0c, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfc, 0x0a, 0x00, 0x00, 0x0b], // code
    ].flat(),
  ),
);

function prepare({ type, bytesMoved, length, sample }) {
  const bytes = bytesMoved / 2;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((2 * bytes) / 65536) + 1 });
  const copy = new WebAssembly.Instance(module, { "": { "": memory } }).exports[""];
  const Values = type === "float16" ? Uint16Array : Float32Array;
  const from = Math.ceil(bytes / 16) * 16;
  new Uint8Array(memory.buffer, from, bytes).set(
    new Uint8Array(sample.buffer, sample.byteOffset, Math.min(bytes, sample.byteLength)),
  );
  const moved = new Values(memory.buffer, 0, Math.min(length, bytes / Values.BYTES_PER_ELEMENT));
  return { run: () => copy(0, from, bytes), result: () => moved, unchecked: true };
}

export default [{ name: "memory.copy", bySize: true, prepare }];
