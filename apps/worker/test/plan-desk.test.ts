import { describe, expect, it } from 'vitest';
import { fencedYaml, PlanDesk } from '../src/plan-desk.ts';

const good = 'name: n\ntasks: [{ id: a, instructions: Do it, workspace: a, executor: { run: x } }]\n';
const bad = 'name: n\ntasks: [{ id: a, instructions: Do it, workspace: ../a, executor: { run: x } }]\n';
const deskOf = (rounds: number, said: string[] = []): PlanDesk =>
  new PlanDesk({ rounds, names: { mcpServers: [] }, say: (line) => said.push(line) });

describe('where a plan is handed in', () => {
  it('says what is wrong with it, until it is accepted', async () => {
    const said: string[] = [];
    const desk = deskOf(3, said);
    expect(await desk.take(bad)).toMatch(/not accepted; it has 1 problems:\ndraft\.yaml:2:[^]*\(2 left\)/);
    expect(desk.result('')).toEqual({ text: bad, rounds: 1 });
    expect(await desk.take(good)).toMatch(/is accepted/);
    expect(desk.result('')).toEqual({ text: good, rounds: 2 });
    expect(said).toEqual(['plan 1 of 3 has 1 problems', 'plan 2 of 3 is accepted']);
  });

  it('takes nothing after one that is accepted', async () => {
    const desk = deskOf(3);
    await desk.take(good);
    expect(await desk.take(bad)).toMatch(/accepted already/);
    expect(desk.result('')).toEqual({ text: good, rounds: 1 });
  });

  it('takes no more than its rounds', async () => {
    const desk = deskOf(2);
    await desk.take(bad);
    expect(await desk.take(bad)).toMatch(/1 problems[^]*No more plans are taken/);
    expect(await desk.take(good)).toBe('No more plans are taken: end your turn.');
    expect(desk.result('')).toEqual({ text: bad, rounds: 2 });
  });

  it('knows the names that plans may use here', async () => {
    const named = good.replace('workspace: a', 'workspace: a, mcpServers: [none]');
    expect(await deskOf(1).take(named)).toContain('"none"');
  });

  it('goes by the last words where the tool was not used, and else not', async () => {
    const words = `Here:\n\`\`\`yaml\n${good}\`\`\`\n`;
    expect(deskOf(1).result(words)).toEqual({ text: good, rounds: 1 });
    expect(deskOf(1).result('nothing')).toBeUndefined();
    const desk = deskOf(2);
    await desk.take(bad);
    expect(desk.result(words)).toEqual({ text: bad, rounds: 1 });
  });
});

it.each([
  ['the last of two', '```yaml\na: 1\n```\ntext\n```yml\nb: 2\n```', 'b: 2\n'],
  ['one of another language', '```ts\na\n```', undefined],
  ['one without an end', '```yaml\na: 1\n', undefined],
  ['one with the line ends of Windows', '```YAML\r\na: 1\r\n```\r\n', 'a: 1\n'],
  ['a whole one before half a one', '```yaml\na: 1\n```\n```yaml\nb', 'a: 1\n'],
])('a block of YAML is found in words: %s', (_what, words, expected) => {
  expect(fencedYaml(words)).toBe(expected);
});
