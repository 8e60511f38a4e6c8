import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeSession, type SessionState } from '@switchyard/review';

const fixture = fileURLToPath(
  new URL('../../../packages/review/test/fixtures/session-project', import.meta.url),
);

/** Two reviewers do what five do, sooner. */
export const two = ['--reviewers', 'code-quality,security'];

/** A project with a specification in a repository of its own. */
export class ProjectOfTest {
  readonly home = mkdtempSync(join(tmpdir(), 'switchyard-session-'));
  readonly root = join(this.home, 'project');

  constructor() {
    cpSync(fixture, this.root, { recursive: true });
    this.git('init', '--quiet', '-b', 'main');
    this.git('add', '.');
    this.git('commit', '--quiet', '-m', 'begin');
  }

  get environment(): Record<string, string | undefined> {
    return {
      PATH: process.env['PATH'],
      HOME: this.home,
      SWITCHYARD_STATE: join(this.home, 'state'),
      NO_COLOR: '1',
    };
  }

  place(path: string): string {
    return join(this.root, path);
  }

  read(path: string): string {
    return readFileSync(this.place(path), 'utf8');
  }

  put(path: string, text: string): void {
    mkdirSync(dirname(this.place(path)), { recursive: true });
    writeFileSync(this.place(path), text);
  }

  stateOf(task: string, path = `docs/review-session/${task}-session-state.yaml`): SessionState {
    const { state, problems } = decodeSession(this.read(path), path);
    if (state === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
    return state;
  }

  commit(...paths: string[]): void {
    this.git('add', ...paths);
    this.git('commit', '--quiet', '-m', 'more');
  }

  close(): void {
    rmSync(this.home, { recursive: true, force: true });
  }

  private git(...args: string[]): void {
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: this.root });
  }
}
