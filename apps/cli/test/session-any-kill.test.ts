import { rmSync } from 'node:fs';
import type { ReviewerResult, SessionState } from '@switchyard/review';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReviewOrder } from '../src/review-session/session-driver.ts';
import { findSessionProject } from '../src/review-session/session-project.ts';
import { runSession } from '../src/review-session/session-run.ts';
import { ProjectOfTest } from './session-project.ts';

let project: ProjectOfTest;
beforeEach(() => {
  project = new ProjectOfTest();
  // Without git between, so that many sessions take little time.
  rmSync(project.place('.git'), { recursive: true });
});
afterEach(() => project.close());

class Killed extends Error {}

/** Runs until so many facts are kept, then falls over; answers the state at the end, or undefined where it fell. */
async function run(factsMax: number, asked: string[]): Promise<SessionState | undefined> {
  let facts = 0;
  try {
    const { state } = await runSession(
      { kind: 'start', restart: false, request: { acceptedFailureShare: 0 } },
      {
        project: findSessionProject(project.root, '1'),
        engines: { sandbox: 'off', searchPath: undefined },
        signal: new AbortController().signal,
        say: () => undefined,
        told: () => {
          facts += 1;
          if (facts === factsMax) throw new Killed();
        },
        review: async ({ reviewer, dimension, progress, announce }: ReviewOrder): Promise<ReviewerResult> => {
          asked.push(dimension);
          progress(10, 'reading');
          await announce({ findings: 1 });
          const finding = {
            severity: 'minor' as const,
            category: dimension,
            file: 'src/token-store.ts',
            line: 2,
            description: `something of ${dimension}`,
            references: [],
            fingerprint: '0123456789',
          };
          return { reviewer, findings: [finding], filesAnalyzed: 2, strengths: [] };
        },
      },
    );
    return state;
  } catch (error) {
    if (error instanceof Killed) return undefined;
    throw error;
  }
}

/** What differs from session to session and says nothing. */
function plain(report: string): string {
  return report
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\d+(\.\d+)? s\b/g, 'SECONDS')
    .replace(/recoveries tried: \d+/, 'recoveries tried');
}

describe('a session that falls over after any fact', () => {
  it('comes to the same report, the same ticks and a whole archive, and asks nobody again who was done', async () => {
    const whole = await run(Infinity, []);
    const report = plain(project.read('docs/review-results/1-review.md'));
    const tasks = project.read('docs/specs/task.md');
    expect(whole?.review_session.conclusion).toBe('passed');
    const untouched = tasks.replaceAll('[x] 1.', '[ ] 1.');
    let places = 0;
    for (let place = 1; ; place += 5) {
      for (const path of ['docs/review-session', 'docs/review-results'])
        rmSync(project.place(path), { recursive: true, force: true });
      project.put('docs/specs/task.md', untouched);
      const before: string[] = [];
      if ((await run(place, before)) !== undefined) break;
      places += 1;
      const cut = project.stateOf('1');
      const done = cut.reviewers.filter(({ status }) => status === 'completed');
      const after: string[] = [];
      const state = await run(Infinity, after);
      const ended = cut.review_session.overall_status === 'completed';
      expect(state?.review_session.overall_status, `after ${place} facts`).toBe('completed');
      if (!ended) {
        expect(after).toHaveLength(5 - done.length);
        expect(plain(project.read('docs/review-results/1-review.md')), `after ${place} facts`).toBe(report);
      }
      expect(project.read('docs/specs/task.md')).toBe(tasks);
      const archive = `docs/review-session/archive/1-${state?.review_session.session_id}`;
      expect(project.stateOf('1', `${archive}/session-state.yaml`)).toEqual(state);
      expect(project.read(`${archive}/results.json`)).toContain('something of security');
    }
    expect(places).toBeGreaterThan(8);
  });
});
