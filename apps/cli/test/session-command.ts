import pc from 'picocolors';
import { readEnvironment } from '@switchyard/access';
import { endingOf } from '../src/problem-text.ts';
import { buildProgram } from '../src/program.ts';
import type { ProjectOfTest } from './session-project.ts';

/** How a command ended and what it printed. */
export interface Said {
  status: number;
  stdout: string;
  stderr: string;
}

/** `switchyard session …` in a project, in this process. */
export async function sessionCommand(
  project: Pick<ProjectOfTest, 'root' | 'environment'>,
  args: readonly string[],
): Promise<Said> {
  const said: Said = { status: 0, stdout: '', stderr: '' };
  const program = buildProgram({
    terminal: {
      out: (text) => void (said.stdout += text),
      err: (text) => void (said.stderr += text),
      isScreen: false,
      columns: () => 80,
      rows: () => 24,
      paint: pc.createColors(false),
    },
    environment: readEnvironment(project.environment),
    cwd: project.root,
    end: (code) => void (said.status = code),
  });
  try {
    await program.parseAsync(['session', ...args], { from: 'user' });
  } catch (error) {
    const { text, exitCode } = endingOf(error);
    said.stderr += text;
    said.status = exitCode;
  }
  return said;
}
