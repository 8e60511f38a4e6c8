import { z } from 'zod';
import type { CommandResult } from '../executor.ts';
import { defineTool, type Tool } from './tool.ts';
import { shortened, toolLimits } from './tool-limits.ts';

/** Runs a line in a folder below the checkout; the sandbox decides what it reaches. */
const executeCommand = defineTool({
  name: 'execute_command',
  group: 'command',
  description:
    'Runs a command line by sh in the sandbox: no network, and only what your mode lets you write can be written. Answers with the exit code and the output. There is no terminal: a command that asks waits for nobody.',
  input: z.object({
    command: z.string().min(1).max(32_000),
    cwd: z
      .string()
      .min(1)
      .max(toolLimits.pathChars)
      .optional()
      .describe('folder to run it in (default: the root of the repository)'),
    timeout_seconds: z.coerce
      .number()
      .min(1)
      .max(toolLimits.commandMs / 1000)
      .default(toolLimits.commandDefaultMs / 1000),
  }),
  async run({ command, cwd, timeout_seconds: seconds }, { run }) {
    const argv =
      cwd === undefined
        ? ['sh', '-c', command]
        : ['sh', '-c', 'cd -- "$1" && exec sh -c "$2"', 'sh', cwd, command];
    const timeoutMs = Math.round(seconds * 1000);
    return resultText(await run({ argv, timeoutMs, writes: 'workspace' }), seconds);
  },
});

function resultText({ ended, exitCode, reason, output, truncated }: CommandResult, seconds: number): string {
  const end =
    ended === 'exited'
      ? `exit code ${exitCode}`
      : ended === 'timed-out'
        ? `killed after ${seconds} s with all its children: give timeout_seconds, or run less`
        : `killed: ${reason ?? 'no reason is known'}`;
  const cut = truncated ? ' (the output was too long; its middle is lost)' : '';
  const text = shortened(output.trimEnd(), toolLimits.outputChars);
  return `${end}${cut}\n${text === '' ? '(no output)' : text}`;
}

export const commandTools: readonly Tool[] = [executeCommand];
