import { readFileSync } from 'node:fs';
import {
  checkCoverage,
  checkSubstance,
  chooseReviewers,
  pathsNamed,
  readRequirements,
  readTask,
  sessionProblemLine,
  tickTask,
} from '@switchyard/review';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing is there');
  return value;
}
const read = (path: string): string =>
  readFileSync(new URL(`../fixtures/session-project/docs/${path}`, import.meta.url), 'utf8');
const tasks = read('specs/task.md');
const requirements = readRequirements(read('specs/requirements.md'), 'requirements.md');

function coverage(id: string, plan = read(`implementation-plan/${id}-plan.md`), list = tasks) {
  const task = there(readTask(list, id, 'task.md').task);
  const input = { plan, planFile: 'plan.md', task, taskFile: 'task.md', requirements };
  const { gaps, warnings } = checkCoverage(input);
  return { gaps: gaps.map(sessionProblemLine), warnings: warnings.map(sessionProblemLine) };
}

describe('the list of tasks', () => {
  it('gives a task with its sub-tasks, requirements and criteria', () => {
    const { task } = readTask(tasks, '2', 'task.md');
    expect(task).toMatchObject({
      title: 'Sweeping',
      line: 8,
      subTasks: [{ id: '2.1', title: 'Remove expired tokens', isTicked: false }],
      requirements: [{ id: '2' }, { id: 'REQ-31' }],
      criteria: [{ text: 'The sweep runs once an hour', line: 12 }],
    });
  });

  it.each([
    ['a box without a bullet', '[ ] 4 Four\n', '[x] 4 Four\n'],
    ['an id between backquotes', '* [ ] `4` Four\n', '* [x] `4` Four\n'],
    ['bold', '- [ ] **4. Four**\n', '- [x] **4. Four**\n'],
    ['an ordered list', '1. [ ] Task 4: Four\n', '1. [x] Task 4: Four\n'],
    ['sub-tasks beside it', '- [ ] 4. F\n- [ ] 4.1 A\n- [ ] 5. G\n', '- [x] 4. F\n- [x] 4.1 A\n- [ ] 5. G\n'],
    [
      'a heading with boxes beneath',
      '## Task 4: Four\n\n- [ ] 4.1 A\n- [ ] other\n\n## Task 5\n- [ ] 5.1 B\n',
      '## Task 4: Four\n\n- [x] 4.1 A\n- [ ] other\n\n## Task 5\n- [ ] 5.1 B\n',
    ],
    ['code is left alone', '```\n- [ ] 4. F\n```\n- [ ] 4. F\n', '```\n- [ ] 4. F\n```\n- [x] 4. F\n'],
    [
      '4.10 is no part of 4.1',
      '- [ ] 40. F\n- [ ] 4. F\n- [x] 4.1 A',
      '- [ ] 40. F\n- [x] 4. F\n- [x] 4.1 A',
    ],
  ])('ticks %s', (_name, before, after) => {
    expect(tickTask(before, '4').text).toBe(after);
  });

  it('keeps every other byte, also where lines end with CRLF', () => {
    const windows = `\uFEFF${tasks.replaceAll('\n', '\r\n')}\r\nlast\rline`;
    const { text, ids } = tickTask(windows, '1');
    expect(ids).toEqual(['1', '1.1', '1.2']);
    expect(text.replaceAll('[x]', '[ ]')).toBe(windows.replaceAll('[x]', '[ ]'));
    expect(text).toContain('- [x] 1. Token store of the server\r\n');
    expect(text).toContain('- [ ] 2. Sweeping\r\n');
  });

  it('changes nothing but marks in any text, and a second time nothing at all', () => {
    const piece = fc.constantFrom(
      '- [ ] 1. A',
      '  - [ ] 1.2 B',
      '[ ] 1',
      '# 1',
      '```',
      '\r',
      '\r\n',
      '\n',
      '- [x] 2',
      '\t',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const once = tickTask(text, '1');
        expect(once.text.replaceAll('[x]', '[ ]')).toBe(text.replaceAll('[x]', '[ ]'));
        expect(tickTask(once.text, '1')).toEqual({ text: once.text, ids: [] });
      }),
    );
  });

  it('says where a task is there twice, and which there are when it is missing', () => {
    const problem = (text: string, id: string): string =>
      sessionProblemLine(there(readTask(text, id, 'task.md').problems[0]));
    expect(problem(`${tasks}- [ ] 1. Again\n`, '1')).toBe(
      'task.md:15: task 1 is there twice, in lines 3 and 15; give one of them another number',
    );
    expect(problem(tasks, '9')).toBe('task.md: there is no task 9; there are 1, 2, 3');
    expect(problem('# Nothing\n', '1')).toContain('write it as `- [ ] 1. Title`');
  });
});

describe('the plan of a task', () => {
  it('covers what it names, and what it says in other words', () => {
    expect(coverage('1')).toEqual({ gaps: [], warnings: [] });
    expect(checkSubstance(read('implementation-plan/1-plan.md'), 'plan.md', [])).toEqual({
      conflicts: [],
      warnings: [],
    });
  });

  it('leaves gaps that are listed, each with its place and what would close it', () => {
    const { gaps, warnings } = coverage('2');
    expect(gaps).toEqual([
      expect.stringMatching(
        /^requirements\.md:\d+: criterion 2\.2 is not covered by plan\.md: "The number of removed .*; plan it, or name it .*`Requirements: 2\.2`/,
      ),
      expect.stringMatching(/^requirements\.md:\d+: requirement REQ-31 is not covered/),
      expect.stringMatching(/^task\.md:12: acceptance criterion 1 of task 2 is not covered/),
    ]);
    expect(warnings).toEqual([]);
  });

  it('is not covered by a number that means something else', () => {
    const plan = '# Plan\n\n1.1 of nothing. Version 1.2 takes 1.3 hours.\n';
    expect(coverage('1', plan).gaps).toHaveLength(3);
    expect(
      coverage('1', `${plan}\n| Requirement | Step |\n| --- | --- |\n| 1.1 | a |\n| 1.2 | b |\n| 1.3 | c |\n`)
        .gaps,
    ).toEqual([]);
  });

  it('warns of small gaps: loose words, sub-tasks, unknown requirements, nothing to measure by', () => {
    const list = '- [ ] 1. A\n  - _Requirements: 2.2, 7.7_\n  - [ ] 1.1 Unheard of errands\n';
    const { gaps, warnings } = coverage('1', '# Plan\n\n- removed tokens, a number of them\n', list);
    expect(gaps).toEqual([]);
    expect(warnings).toEqual([
      expect.stringContaining('task.md:2: task 1 names requirement 7.7'),
      expect.stringContaining('plan.md:3: criterion 2.2 is covered loosely at best'),
      expect.stringContaining('task.md:3: the plan does not speak of sub-task 1.1'),
    ]);
    expect(coverage('1', '# Plan\n', '- [ ] 1. A\n').warnings[0]).toContain('names no requirement');
  });

  it('is doubted where solution or schedule do not add up', () => {
    const { conflicts, warnings } = checkSubstance(read('implementation-plan/2-plan.md'), 'plan.md', [
      read('specs/architecture.md'),
      // Said twice is one conflict.
      read('specs/architecture.md'),
    ]);
    expect(conflicts.map(sessionProblemLine)).toEqual([
      expect.stringContaining('plan.md:5: the plan speaks of Redis, which the specification rules out'),
    ]);
    expect(warnings.map(sessionProblemLine)).toEqual([
      expect.stringContaining('plan.md:8: step 2 depends on step 2, which does not come before it'),
      expect.stringContaining('plan.md:10: the plan says 9 hours in total; its steps come to 5'),
    ]);
    const none = checkSubstance('# Plan\n\nLater, 2026-03-05 – 2026-03-01.\n', 'plan.md', []);
    expect(none.conflicts).toEqual([]);
    expect(none.warnings.map(({ message }) => message)).toEqual([
      'the plan does not say how the task is solved',
      '2026-03-01 comes before 2026-03-05',
    ]);
    expect(checkSubstance('# Plan\n\n- do it\n', 'p', []).warnings[0]?.message).toBe(
      'the plan has no schedule',
    );
  });

  it('names files, and nothing that is none', () => {
    const text =
      'In `src/a.ts:12`, `./lib/`, `npm test`, `../x/y`, `https://a.b/c`, `package.json`, `TokenStore`, `lib/sub/`.';
    expect(pathsNamed(text).map(({ path }) => path)).toEqual(['src/a.ts', 'package.json', 'lib/sub']);
  });
});

describe('the choice of reviewers', () => {
  const choose = (text: string, paths: string[] = [], more: object = {}) =>
    chooseReviewers({ texts: [text], paths, earlier: [], ...more });
  const names = (choice: ReturnType<typeof choose>) => choice.reviewers.map(({ dimension }) => dimension);

  it.each([
    ['front end', 'A button', ['src/button.tsx']],
    ['back end', 'A table', ['db/001.sql']],
    ['full stack', 'A button of the server', ['src/button.tsx']],
    ['front end', 'Type: front end\nwith an endpoint', []],
    ['back end', 'Something else', []],
  ] as const)('is that of a %s project: %s', (projectType, text, paths) => {
    const choice = choose(text, [...paths]);
    expect(choice.projectType).toBe(projectType);
    expect(choice.covers).toBe(true);
    expect(choice.reason).toContain(`${projectType}: `);
    expect(names(choice)).toHaveLength({ 'front end': 3, 'back end': 5, 'full stack': 6 }[projectType]);
  });

  it('gives no point to two reviewers', () => {
    for (const text of ['React page', 'REST server', 'full stack']) {
      const points = choose(text).reviewers.flatMap(({ focus }) => focus);
      expect(points.length).toBeGreaterThan(6);
      expect(new Set(points).size).toBe(points.length);
    }
  });

  it('adds who is needed for earlier findings and for the content, and takes whom the command line names', () => {
    const brown = choose('React page', ['README.md'], { earlier: ['performance', 'gossip'] });
    expect(names(brown)).toEqual(['code-quality', 'testing', 'security', 'performance', 'documentation']);
    expect(brown.reason).toContain('performance as well: the earlier review has findings of it');
    const asked = choose('server', [], { asked: ['security'] });
    expect([names(asked), asked.covers]).toEqual([['security'], true]);
    expect(asked.reason).toContain('left out by the command line: code-quality');
  });
});
