import { pack, unpackMultiple } from 'msgpackr';
import { WebSocket } from 'ws';

/** A worker of the bare loop: it answers every task of a frame in one frame, at once. */
const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}`, { perMessageDeflate: false });
socket.on('message', (frame: Buffer) => {
  const answers: Buffer[] = [];
  unpackMultiple(frame, ({ task }: { task: number }) => {
    answers.push(pack({ type: 'task-completed', task }));
  });
  socket.send(Buffer.concat(answers));
});
socket.on('close', () => process.exit(0));
