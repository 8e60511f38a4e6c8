/** A machine that runs classic BPF programs as the kernel runs a system call filter: as much of it as filters use. */

/** One system call as a filter sees it. */
export interface Call {
  readonly arch: number;
  readonly number: number;
  readonly args?: readonly (number | bigint)[];
}

/** The answer of a filter in words: `allow`, `kill`, or the name of the error. */
export function answerOf(program: Buffer, call: Call): string {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.arch >>> 0, 4);
  for (const [index, value] of (call.args ?? []).entries())
    data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 16 + 8 * index);
  return wordOf(runProgram(program, data));
}

function runProgram(program: Buffer, data: Buffer): number {
  let accumulator = 0;
  for (let at = 0; at * 8 < program.length; at += 1) {
    const code = program.readUInt16LE(at * 8);
    const [ifTrue, ifFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const value = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean): void => void (at += holds ? ifTrue : ifFalse);
    switch (code) {
      case 0x20:
        accumulator = data.readUInt32LE(value);
        break;
      case 0x15:
        jump(accumulator === value);
        break;
      case 0x35:
        jump(accumulator >= value);
        break;
      case 0x45:
        jump((accumulator & value) !== 0);
        break;
      case 0x06:
        return value;
      default:
        throw new Error(`instruction ${at}: code ${code} is none that filters here use`);
    }
  }
  throw new Error('the program ends without an answer');
}

function wordOf(answer: number): string {
  if (answer === 0x7fff0000) return 'allow';
  if (answer === 0x80000000) return 'kill';
  const number = answer & 0xffff;
  const name = { 1: 'EPERM', 38: 'ENOSYS', 97: 'EAFNOSUPPORT' }[number];
  return answer >>> 16 === 5 && name !== undefined ? name : `answer ${answer.toString(16)}`;
}
