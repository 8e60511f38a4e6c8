import { logIgnored } from '@switchyard/peer';
import { ignoredMessage, messageId } from '@switchyard/protocol';
import { openLog } from '@switchyard/runtime';
import { expect, it } from 'vitest';

const about = { run: 'demo-abcdef', taskId: 'a', attempt: 2, fence: 3 };

async function logged(...reasons: readonly string[]): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  const tap = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = await openLog({ daemon: 'worker-1', level: 'info', stdout: false, tap });
  const ignored = reasons.map((reason, index) =>
    ignoredMessage.parse({ ...about, id: `m${index}`, type: 'task-failed', reason, text: `${reason}, alas` }),
  );
  const of = reasons.map((_, index) => messageId.parse(`m${index}`));
  logIgnored(log.logger, reasons.length === 0 ? { of: [messageId.parse('m0')] } : { of, ignored });
  await log.close();
  return lines;
}

it('what changed nothing is logged with its attempt and the reason; what came twice is no warning', async () => {
  const warn = 40;
  const info = 30;
  const [fenced, over] = await logged('fenced', 'over');
  const attempt = { run: 'demo-abcdef', task: 'a', attempt: 2, fence: 3 };
  expect(fenced).toMatchObject({
    ...attempt,
    level: warn,
    type: 'task-failed',
    why: 'fenced',
    reason: 'fenced, alas',
  });
  expect(over).toMatchObject({ ...attempt, level: info, why: 'over' });
});

it('an acknowledgement of what counted is no line', async () => {
  expect(await logged()).toEqual([]);
});
