import { pendingReports } from '@switchyard/peer';
import { encodeEnvelope, encodePayload, messageId, peerId, type MessageId } from '@switchyard/protocol';
import { openLog } from '@switchyard/runtime';
import { expect, it } from 'vitest';

const draining = (id: MessageId, reason: string): { id: MessageId; frame: Uint8Array } => ({
  id,
  frame: encodeEnvelope({
    id,
    type: 'draining',
    from: peerId.parse('worker-1'),
    to: peerId.parse('hub'),
    at: 0,
    payload: encodePayload({ reason }),
  }),
});

it('reads what waits oldest first, and says of what it cannot read that it is sent as it is', async () => {
  const [first, second, third] = ['m1', 'm2', 'm3'].map((id) => messageId.parse(id));
  if (first === undefined || second === undefined || third === undefined) throw new Error('three ids');
  const lines: string[] = [];
  const log = await openLog({
    daemon: 'worker-1',
    level: 'warn',
    stdout: false,
    tap: (line) => void lines.push(line),
  });
  const pending = [
    draining(first, 'one'),
    { id: second, frame: Uint8Array.of(0xc1) },
    draining(third, 'two'),
  ];
  const outbox = { pending: () => pending };
  const reasons = pendingReports({ outbox, logger: log.logger }, (envelope) =>
    envelope.type === 'draining' ? [envelope.payload.reason] : [],
  );
  await log.close();
  expect(reasons).toEqual(['one', 'two']);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ message: 'm2' }]);
});
