import { formatProblem, importPlan, parsePlan } from '@switchyard/plan';
import { describe, expect, it } from 'vitest';

const read = (text: string) => parsePlan(`---\nexecutor: { run: make }\n---\n${text}`, { file: 'plan.md' });
const head = '| Task | Dependencies | Workspace |\n|-|-|-|\n';
const table = `${head}| Alpha | None | \`a\` |\n`;
const rows = (name: string): string => `${head}| ${name} | None | \`later\` |\n`;
const idsOf = (text: string) => read(text).plan?.tasks.map(({ id }) => String(id));
const inBody = (why: string): string =>
  why.replace(/^lines (\d+) to (\d+)$/, (_all, from, to) => `lines ${Number(from) - 3} to ${Number(to) - 3}`);
/** What is told to be left out, with its line in the text below the front matter. */
const leftOut = (text: string) =>
  read(text).deferred?.map(({ id, line, why }) => [id, line - 3, inBody(why)]);

describe('deferred work is never imported, and told with its lines', () => {
  it.each([
    ['## Deferred', 'Deferred'],
    ['# Deferred to Phase 1', 'Deferred to Phase 1'],
    ['###### Deferred', 'Deferred'],
    ['### Deferred Tasks', 'Deferred Tasks'],
    ['## 7. Deferred (post-MVP)', 'Deferred (post-MVP)'],
    ['## Out of scope / deferred', 'Out of scope / deferred'],
    ['## Out of scope', 'Out of scope'],
    ['## 🟡 Postponed until spring', 'Postponed until spring'],
    ['## Work deferred to version 2', 'Work deferred to version 2'],
    ['## Phase 6: Deferred items', 'Phase 6: Deferred items'],
    ['## Extras (deferred)', 'Extras (deferred)'],
    ['Deferred\n--------', 'Deferred'],
    ['**Deferred**', 'Deferred'],
    ['**Deferred:**', 'Deferred'],
    ['**Deferred**: what can wait', 'Deferred'],
    ['Deferred to spring:', 'Deferred to spring'],
  ])('below %j', (title, told) => {
    const text = `${table}\n${title}\n\n${rows('Fax')}- [ ] Telex\n\n# Phase 2\n\n1. Omega review\n`;
    expect(idsOf(text)).toEqual(['Alpha', 'Omega review']);
    const from = 5;
    const to = from + title.split('\n').length + 4;
    expect(leftOut(text)).toEqual([[told, from, `lines ${from} to ${to}`]]);
  });

  it('with all that stands beneath, up to a heading of the same depth', () => {
    const text = `${table}\n## Deferred\n\n### Core\n\n${rows('Fax')}\n### T1: Telex\n\nText\n\n## More\n\n${rows('Beta')}`;
    expect(idsOf(text)).toEqual(['Alpha', 'Beta']);
    expect(leftOut(text)).toEqual([['Deferred', 5, 'lines 5 to 15']]);
  });

  it('in a phase, whose order the rest keeps', () => {
    const text =
      '## Phase 1: Core\n\nSequential:\n\n1. Alpha\n2. Beta (deferred to v2)\n3. Gamma\n\n**Deferred**\n\n4. Delta\n\n' +
      '**Again**\n\n### Deferred\n\n- Eps\n\n## Phase 2: All later\n\n1. **Deferred**\n   - `zeta.md`\n\n## Phase 3\n\n1. Eta\n';
    const { plan, problems } = read(text.replaceAll(/^(\d\. )(Alpha|Gamma|Eta)/gm, '$1$2'));
    expect(plan).toBeUndefined();
    expect(problems.map(({ code }) => code)).toEqual(Array(3).fill('PLAN_NO_WORKSPACE'));
    const reviews = text.replaceAll(/(Alpha|Gamma|Eta)$/gm, '$1 review');
    expect(read(reviews).plan?.tasks.map(({ id, dependsOn }) => [id, ...dependsOn])).toEqual([
      ['Alpha review'],
      ['Gamma review', 'Alpha review'],
      ['Eta review', 'Alpha review', 'Gamma review'],
    ]);
    expect(leftOut(reviews)).toEqual([
      ['Beta', 6, 'its phase says so'],
      ['Deferred', 9, 'lines 9 to 11'],
      ['Deferred', 15, 'lines 15 to 17'],
      ['zeta.md', 22, 'its phase says so'],
    ]);
  });

  it.each([
    ['a cell', '| Fax | `f.md` | None | `f` | Deferred |', 'its row says "Deferred"'],
    ['words', '| Fax | `f.md` | None | `f` | 🟡 Defer to v2 |', 'its row says "🟡 Defer to v2"'],
    ['its name', '| Fax (deferred) | `f.md` | None | `f` | |', 'its name says so'],
    ['a dash', '| Fax – deferred to v2 | `f.md` | None | `f` | |', 'its name says so'],
    ['its folder', '| Fax | `tasks/deferred/f.md` | None | `f` | |', 'its document is tasks/deferred/f.md'],
    [
      'a row above',
      '| **Deferred** | | | | |\n| Fax | `f.md` | None | `f` | |',
      'it stands below "Deferred"',
    ],
  ])('of a table, by %s', (_what, row, why) => {
    const text = `| Task | Document | Dependencies | Workspace | State |\n|-|-|-|-|-|\n| Alpha | | None | \`a\` | open |\n${row}\n`;
    expect(idsOf(text)).toEqual(['Alpha']);
    expect(leftOut(text)?.map(([, , reason]) => reason)).toEqual([why]);
  });

  it('where a row is deferred elsewhere: in a list of what is, in its phase, or by its box', () => {
    const all = `${table}| Fax Review | None | \`f\` |\n`;
    for (const [more, line, why] of [
      ['\n## Deferred\n\n- Fax\n', 8, 'it is listed under "Deferred"'],
      [`\n## Deferred\n\n${rows('Fax review')}`, 10, 'it stands under "Deferred"'],
      ['\n## Phase 1\n\n1. Alpha\n2. Fax (deferred)\n', 9, 'its phase says so'],
      ['\n## Progress\n\n- [ ] Alpha\n- [ ] Fax (deferred to v2)\n', 9, 'its box says so'],
    ] as const) {
      expect(idsOf(`${all}${more}`), more).toEqual(['Alpha']);
      expect(leftOut(`${all}${more}`), more).toContainEqual(['Fax Review', line, why]);
    }
  });

  it('by the status or decision of a heading, and not for a task that is about something deferred', () => {
    const text =
      '### T1: Hooks\n\n**Status**: Deferred\n**Workspace**: `src/h`\n\n### T2: Handle constraints that are deferred\n\n**Workspace**: `src/c`\n\n### T3: Fax (deferred)\n\n**Workspace**: `src/f`\n';
    expect(idsOf(text)).toEqual(['T2']);
    expect(leftOut(text)).toEqual([
      ['T1', 3, 'it says "Deferred"'],
      ['T3: Fax (deferred)', 10, 'lines 10 to 12'],
    ]);
  });

  it('and what waits for it is an error of its own', () => {
    const text = `${table}| Beta | Fax, Telex | \`b\` |\n| Gamma | \`old/fax.md\` | \`g\` |\n\n## Deferred\n\n- [Fax](x/fax.md)\n\n${rows('Telex')}`;
    const { plan, problems } = read(`${text}\n## Phase 2\n\n1. \`fax.md\` (deferred)\n`);
    expect(plan).toBeUndefined();
    expect(problems.map((problem) => formatProblem(problem))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^plan\.md:7:10: error PLAN_DEFERRED_NEEDED: Beta waits for Fax, which/),
        expect.stringMatching(
          /^plan\.md:7:15: error PLAN_DEFERRED_NEEDED: Beta waits for Telex, which is deferred: it stands under "Deferred"\n {2}fix: /,
        ),
        expect.stringMatching(/^plan\.md:8:12: error PLAN_DEFERRED_NEEDED: Gamma waits for fax\.md, which/),
      ]),
    );
  });

  it('and a plan in YAML that is made of it names the lines', () => {
    const text = `${table}\n## Deferred\n\n${rows('Fax')}`;
    expect(importPlan(`---\nexecutor: { run: make }\n---\n${text}`, { file: 'plan.md' }).yaml).toContain(
      '# deferred, and so left out: Deferred (line 8: lines 8 to 12)\n',
    );
  });

  it('and says nothing of words that mean something else', () => {
    const text = `${table}\n**Deferred**: none\n\n${rows('Beta')}\n## Success criteria\n\n- All is done or deferred with a reason\n`;
    expect(idsOf(text)).toEqual(['Alpha', 'Beta', 'Overall success']);
    expect(leftOut(text)).toEqual([]);
  });
});
