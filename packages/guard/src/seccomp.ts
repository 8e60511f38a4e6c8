/**
 * The system call filter: a classic BPF program (8 bytes an instruction: u16 code, u8 jt, u8 jf, u32 k) over
 * `struct seccomp_data { int nr; u32 arch; u64 ip; u64 args[6]; }`. It allows all but a closed list:
 *
 *   wrong architecture, other ABI        -> the process is killed
 *   mount family, ptrace, bpf, ...       -> EPERM (syscall-numbers.ts)
 *   clone with CLONE_NEWUSER             -> EPERM
 *   clone3                               -> ENOSYS, so that libc falls back to clone, whose flags can be read
 *   ioctl TIOCSTI and TIOCLINUX          -> EPERM
 *   socket, socketpair other than UNIX, INET, INET6, NETLINK -> EAFNOSUPPORT (AF_VSOCK reaches the host of a machine)
 */
import type { SyscallTable } from './syscall-numbers.ts';

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const errno = (number: number): number => 0x00050000 | number;
const EPERM = errno(1);
const ENOSYS = errno(38);
const EAFNOSUPPORT = errno(97);

const OFFSET_NUMBER = 0;
const OFFSET_ARCHITECTURE = 4;
const OFFSET_ARGUMENT = 16;

const CLONE_NEWUSER = 0x10000000;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const allowedSocketFamilies = [1, 2, 10, 16] as const; // UNIX, INET, INET6, NETLINK

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number];

/** The filter as bwrap's `--seccomp` takes it. */
export function seccompProgram(table: SyscallTable): Buffer {
  const program: Instruction[] = [
    [LOAD_WORD, 0, 0, OFFSET_ARCHITECTURE],
    [JUMP_EQUAL, 1, 0, table.auditArch],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD_WORD, 0, 0, OFFSET_NUMBER],
  ];
  if (table.otherAbiFrom > 0) program.push(...answerIf(JUMP_AT_LEAST, table.otherAbiFrom, KILL_PROCESS));
  for (const number of Object.values(table.refused)) program.push(...answerIf(JUMP_EQUAL, number, EPERM));
  program.push(...answerIf(JUMP_EQUAL, table.clone3, ENOSYS));
  program.push(...byArgument(table.clone, 0, answerIf(JUMP_ANY_BIT, CLONE_NEWUSER, EPERM)));
  program.push(
    ...byArgument(table.ioctl, 1, [
      ...answerIf(JUMP_EQUAL, TIOCSTI, EPERM),
      ...answerIf(JUMP_EQUAL, TIOCLINUX, EPERM),
    ]),
  );
  for (const call of [table.socket, table.socketpair]) program.push(...byArgument(call, 0, socketRule()));
  program.push([RETURN, 0, 0, ALLOW]);
  return assemble(program);
}

/** `if (accumulator OP value) return answer`, else on. */
function answerIf(operation: number, value: number, answer: number): Instruction[] {
  return [
    [operation, 0, 1, value],
    [RETURN, 0, 0, answer],
  ];
}

/** Runs `rule` on the low word of an argument of one call, then allows; other calls go on behind it. */
function byArgument(call: number, argument: number, rule: readonly Instruction[]): Instruction[] {
  return [
    [JUMP_EQUAL, 0, rule.length + 2, call],
    [LOAD_WORD, 0, 0, OFFSET_ARGUMENT + 8 * argument],
    ...rule,
    [RETURN, 0, 0, ALLOW],
  ];
}

function socketRule(): Instruction[] {
  return [
    ...allowedSocketFamilies.flatMap((family) => answerIf(JUMP_EQUAL, family, ALLOW)),
    [RETURN, 0, 0, EAFNOSUPPORT],
  ];
}

function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, jumpTrue, jumpFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
