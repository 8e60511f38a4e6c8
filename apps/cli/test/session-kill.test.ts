import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SessionState } from '@switchyard/review';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProjectOfTest, two } from './session-project.ts';

const program = fileURLToPath(new URL('../bin/switchyard.mjs', import.meta.url));
let project: ProjectOfTest;
const children: ChildProcess[] = [];
beforeEach(() => {
  project = new ProjectOfTest();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  project.close();
});

function session(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'session', ...args], {
    cwd: project.root,
    env: project.environment,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** The first state of which something holds; told by the folder, not asked for again and again. */
function stateWhere(task: string, holds: (state: SessionState) => boolean): Promise<SessionState> {
  const folder = project.place('docs/review-session');
  mkdirSync(folder, { recursive: true });
  return new Promise((resolve) => {
    const watcher = watch(folder);
    const look = (): void => {
      if (!existsSync(join(folder, `${task}-session-state.yaml`))) return;
      const state = project.stateOf(task);
      if (!holds(state)) return;
      watcher.close();
      resolve(state);
    };
    watcher.on('change', look);
    look();
  });
}

describe('a session that was cut off', () => {
  /** The security reviewer waits for a file, by a tool of the policy. */
  function holdSecurity(): void {
    project.put(
      '.switchyard/review.yml',
      `engines:
  - name: waits
    run: while [ ! -e docs/review-results/go ]; do sleep 0.1; done; echo '{"version":"2.1.0","runs":[]}'
    specializations: [security]
`,
    );
    // What is not committed is under review, and no policy.
    project.commit('.switchyard/review.yml');
  }
  function begin(): { child: ChildProcess; ended: Promise<number | null>; output: () => string } {
    const child = spawn(process.execPath, [program, 'session', 'start', '1', ...two], {
      cwd: project.root,
      env: project.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    return { child, ended, output: () => text };
  }
  /** `session status 1 -f`, which is told of changes until the session has ended. */
  function follow() {
    const child = spawn(process.execPath, [program, 'session', 'status', '1', '-f'], {
      cwd: project.root,
      env: project.environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let text = '';
    const says = (words: string): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void => {
          if (text.includes(words)) resolve();
        };
        child.stdout?.on('data', look);
        look();
      });
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
    return { ended, says, output: () => text };
  }
  const qualityIsDone = (state: SessionState): boolean =>
    state.reviewers.some(
      (one) => one.reviewer_id === 'task-reviewer_code-quality' && one.status === 'completed',
    ) &&
    state.reviewers.some(
      (one) => one.reviewer_id === 'task-reviewer_security' && one.status === 'in_progress',
    );

  it('goes on after kill -9 with what was done, and does the rest anew', async () => {
    holdSecurity();
    const { child, ended } = begin();
    const before = await stateWhere('1', qualityIsDone);
    child.kill('SIGKILL');
    await ended;
    expect(project.stateOf('1').review_session.overall_status).toBe('in_progress');
    project.put('docs/review-results/go', '');
    const { status, stderr } = session('continue', '1');
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('begin anew: task-reviewer_security');
    const after = project.stateOf('1');
    expect(after.review_session).toMatchObject({
      session_id: before.review_session.session_id,
      overall_status: 'completed',
    });
    const [quality, security] = after.reviewers;
    expect([quality?.attempt, security?.attempt]).toEqual([1, 2]);
    expect(quality?.completed_at).toBe(before.reviewers[0]?.completed_at);
    expect(after.session_metadata.recovery).toMatchObject([
      { strategy: 'continue', reviewers: ['task-reviewer_security'] },
    ]);
    expect(session('continue', '1')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('has ended (completed)') as string,
    });
  });

  it('says on ctrl-C how to go on; start continues it, from the backup where the state is damaged', async () => {
    holdSecurity();
    const { child, ended, output } = begin();
    await stateWhere('1', qualityIsDone);
    expect(session('start', '1')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`under way in process ${child.pid}`) as string,
    });
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(output()).toContain('stopped; `switchyard session continue 1` goes on where it was');
    project.put('docs/review-results/go', '');
    const state = 'docs/review-session/1-session-state.yaml';
    project.put(state, project.read(state).slice(0, 900));
    const { status, stderr } = session('start', '1', ...two);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(
      /1-session-state\.yaml:\d+:\d+: [^]*cut off[^]*the backup of the last step is taken/,
    );
    expect(stderr).toMatch(/an unfinished session of task 1 is there, at \d+ %: it goes on/);
  });

  it('is told to whoever follows it as soon as its process is killed, though no file changes', async () => {
    holdSecurity();
    const { child, ended } = begin();
    await stateWhere('1', qualityIsDone);
    const follower = follow();
    // Security has come to the tool that waits: nothing is written any more.
    await follower.says('waits');
    expect(session('status', '1').stdout).not.toContain('nobody works on it');
    expect(follower.output()).not.toContain('nobody works on it');
    child.kill('SIGKILL');
    await ended;
    await follower.says('stopped: nobody works on it; `switchyard session continue 1` goes on');
    expect(session('abort', '1').status).toBe(0);
    expect(await follower.ended).toBe(0);
  });

  it('is ended by abort, which stops the process that has it', async () => {
    holdSecurity();
    const { ended, output } = begin();
    const { review_session } = await stateWhere('1', qualityIsDone);
    const follower = follow();
    await follower.says('in_progress at');
    const { status, stdout } = session('abort', '1');
    expect([status, stdout]).toEqual([0, expect.stringContaining(`archive/1-${review_session.session_id}`)]);
    expect(await ended).toBe(130);
    expect(output()).toContain('stopped by another process; unless that has aborted the session,');
    expect(project.stateOf('1').review_session).toMatchObject({
      overall_status: 'failed',
      ended_because: 'it was aborted',
    });
    expect(await follower.ended).toBe(0);
    expect(follower.output()).toMatch(/in_progress at[^]*failed at \d+ %[^]*it was aborted/);
    expect(session('abort', '1').stderr).toContain('E_SESSION_STATE');
  });
});
