import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Scenario, until } from './harness.ts';

const plan = `---
executor: { kind: command, run: ['mkdir -p "$SWITCHYARD_TASK" && date > "$SWITCHYARD_TASK/made"'] }
defaults: { review: { mode: never } }
---

# Grüße from a plan

| Task  | Dependencies | Kind      | Workspace |
| ----- | ------------ | --------- | --------- |
| walls | None         | implement | \`walls\` |
| look  | walls        | manual    |           |
| roof  | look         | implement | \`roof\`  |
| door  | look         | implement | \`door\`  |
| bell  | look         | implement | \`bell\`  |

## Progress

- [ ] walls
- [ ] look
- [ ] roof
- [ ] door
- [ ] bell
`.replaceAll('\n', '\r\n');

const later =
  '---\nexecutor: { run: touch a/made }\ndefaults: { review: { mode: never } }\n---\n\n' +
  '| Task | Workspace |\n| --- | --- |\n| a | `a` |\n\n## Progress\n\n- [ ] a\n';

let made: Scenario | undefined;
afterEach(() => made?.close());

describe('a run of a Markdown plan that is followed', () => {
  it('ticks each box when its task is completed, and keeps every byte of what a person writes meanwhile; none with --no-tick', async () => {
    const scenario = new Scenario({ 'plan.md': plan, 'later.md': later });
    made = scenario;
    const file = join(scenario.repository, 'plan.md');
    const text = (): string => readFileSync(file, 'utf8');
    scenario.daemon('orchestrator', '--port', '0', '--workers-max', '2');
    await scenario.orchestrator();
    const follower = scenario.cli('run', 'plan.md');
    await until('the first tick', () => text() !== plan || undefined);
    expect(text()).toBe(plan.replace('[ ] walls', '[x] walls'));
    // A person opens a box again, writes on a line that is to be ticked, adds one, and removes another.
    const byHand = plan
      .replace('# Grüße', '# Schöne Grüße')
      .replace('- [ ] roof', '- [ ] roof (slate: ask Zoë first)')
      .replace('- [ ] door\r\n', '')
      .concat('\r\nA word of mine, without an end');
    writeFileSync(file, byHand);
    const [row] = await scenario.api<{ run: string }[]>('/api/runs');
    const approved = await scenario.cli('gate', 'approve', row?.run ?? '', 'look').ended;
    expect(approved.code, approved.stderr).toBe(0);
    const ended = await follower.ended;
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
    expect(text()).toBe(
      byHand.replace('[ ] look', '[x] look').replace('[ ] roof', '[x] roof').replace('[ ] bell', '[x] bell'),
    );
    expect(ended.stdout).toContain(
      'ticked 4 boxes in plan.md; what is ticked is not run again, so apply this run\n',
    );
    expect(ended.stdout).toContain('plan.md: somebody opened 1 box again, left as they are: walls\n');

    const alone = await scenario.cli('run', 'later.md', '--no-tick').ended;
    expect(alone.code, alone.stdout + alone.stderr).toBe(0);
    expect(readFileSync(join(scenario.repository, 'later.md'), 'utf8')).toBe(later);
  });
});
