import type { ExecFileSyncOptionsWithStringEncoding } from "node:child_process";

export function runNpm(args: readonly string[], options: ExecFileSyncOptionsWithStringEncoding): string;
export function commandFile(name: string, command?: string): string;
