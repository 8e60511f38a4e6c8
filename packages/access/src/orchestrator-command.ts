import { ownProcess } from '@switchyard/runtime';

/** Program and arguments that start an orchestrator as a process of its own, from any folder. */
export function orchestratorCommand(flags: readonly string[]): { program: string; args: string[] } {
  const { execArgv, entry } = ownProcess(new URL('../../../apps/orchestrator/src/main.ts', import.meta.url));
  return { program: process.execPath, args: [...execArgv, entry, ...flags] };
}
