import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSandbox } from '@switchyard/guard';
import { answerOf, type Call } from './filter-machine.ts';
import { otherBwrap, telling, whatWasTold } from './other-bwrap.ts';
import { openOptions } from './scene.ts';

const EPERM = 'EPERM';

/** Calls by group, with their numbers on x64 and on arm64 (`syscall_64.tbl`, `asm-generic/unistd.h`); -1: there is none. */
const refused: Readonly<Record<string, Readonly<Record<string, readonly [x64: number, arm64: number]>>>> = {
  'looks into other processes': {
    ptrace: [101, 117],
    process_vm_readv: [310, 270],
    process_vm_writev: [311, 271],
    process_madvise: [440, 440],
    pidfd_getfd: [438, 438],
    kcmp: [312, 272],
  },
  'changes what is mounted': {
    mount: [165, 40],
    umount2: [166, 39],
    pivot_root: [155, 41],
    chroot: [161, 51],
    open_tree: [428, 428],
    move_mount: [429, 429],
    fsopen: [430, 430],
    fsconfig: [431, 431],
    fsmount: [432, 432],
    fspick: [433, 433],
    mount_setattr: [442, 442],
    open_tree_attr: [467, 467],
  },
  'enters or makes namespaces': { unshare: [272, 97], setns: [308, 268] },
  'opens files without a path': { name_to_handle_at: [303, 264], open_by_handle_at: [304, 265] },
  'programs or replaces the kernel': {
    bpf: [321, 280],
    init_module: [175, 105],
    finit_module: [313, 273],
    delete_module: [176, 106],
    kexec_load: [246, 104],
    kexec_file_load: [320, 294],
    reboot: [169, 142],
    perf_event_open: [298, 241],
    userfaultfd: [323, 282],
    iopl: [172, -1],
    ioperm: [173, -1],
  },
  'goes around this filter': {
    io_uring_setup: [425, 425],
    io_uring_enter: [426, 426],
    io_uring_register: [427, 427],
  },
  'reads or changes the keys of the user': {
    add_key: [248, 217],
    request_key: [249, 218],
    keyctl: [250, 219],
  },
  'reads or changes the machine': {
    syslog: [103, 116],
    acct: [163, 89],
    swapon: [167, 224],
    swapoff: [168, 225],
    sethostname: [170, 161],
    setdomainname: [171, 162],
    quotactl: [179, 60],
    quotactl_fd: [443, 443],
    lookup_dcookie: [212, 18],
    fanotify_init: [300, 262],
    mbind: [237, 235],
    migrate_pages: [256, 238],
    move_pages: [279, 239],
  },
};

const machines = {
  x64: {
    arch: 0xc000003e,
    foreign: [0x40000003, 0xc00000b7],
    column: 0,
    clone: 56,
    clone3: 435,
    ioctl: 16,
    socket: 41,
    socketpair: 53,
    // read, write, openat, execve, fork, vfork, kill, chmod, connect, memfd_create, prlimit64, seccomp, landlock
    daily: [0, 1, 257, 59, 57, 58, 62, 90, 42, 319, 302, 317, 444],
  },
  arm64: {
    arch: 0xc00000b7,
    foreign: [0x40000028, 0xc000003e],
    column: 1,
    clone: 220,
    clone3: 435,
    ioctl: 29,
    socket: 198,
    socketpair: 199,
    daily: [63, 64, 56, 221, 129, 53, 203, 279, 261, 277, 444],
  },
} as const;

describe.each(Object.entries(machines))('the filter of system calls on %s', (name, machine) => {
  let program: Buffer = Buffer.alloc(0);
  const answer = (number: number, ...args: Call['args'] & object): string =>
    answerOf(program, { arch: machine.arch, number, args });

  /** As bwrap gets it. On the other kind of machine no sandbox can run, but the filter is handed over before. */
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'guard-test-'));
    const own = Object.getOwnPropertyDescriptor(process, 'arch');
    try {
      Object.defineProperty(process, 'arch', { ...own, value: name });
      const bwrapPath = otherBwrap(folder, `${telling}\nsys.exit('told')`);
      await expect(openSandbox(openOptions({ bwrapPath }))).rejects.toThrow(/told/);
      program = whatWasTold(folder).filter;
    } finally {
      Object.defineProperty(process, 'arch', own ?? {});
      rmSync(folder, { recursive: true });
    }
  });

  it.each(Object.entries(refused))('refuses what %s', (_, calls) => {
    const numbers = Object.entries(calls).map(([call, both]) => [call, both[machine.column]] as const);
    for (const [call, number] of numbers) if (number >= 0) expect(answer(number), call).toBe(EPERM);
  });

  it('kills what comes by another architecture or calling convention', () => {
    const [otherAbi, otherArch] = machine.foreign;
    for (const arch of [otherAbi, otherArch, 0]) expect(answerOf(program, { arch, number: 0 })).toBe('kill');
    if (name === 'x64') {
      for (const number of [0x40000000, 0x40000065, 0x7fffffff]) expect(answer(number)).toBe('kill');
    }
  });

  it('lets a process be made, but no namespace of users with it', () => {
    const [thread, fork, user] = [0x003d0f00, 0x01200011, 0x10000000];
    for (const flags of [thread, fork, 0]) expect(answer(machine.clone, flags)).toBe('allow');
    for (const flags of [user, user | fork, 0xffffffff]) expect(answer(machine.clone, flags)).toBe(EPERM);
    // Its flags lie in memory, where no filter can look; libc then takes the other.
    expect(answer(machine.clone3)).toBe('ENOSYS');
  });

  it('lets a terminal be asked, but nothing be typed into it', () => {
    const [sizeOfWindow, typed, console] = [0x5413, 0x5412, 0x541c];
    expect(answer(machine.ioctl, 0, sizeOfWindow)).toBe('allow');
    for (const request of [typed, console, 0xffffffff00000000n | BigInt(typed)])
      expect(answer(machine.ioctl, 0, request)).toBe(EPERM);
  });

  it('gives sockets of the families that a program needs, and no other', () => {
    const [unix, inet, inet6, netlink] = [1, 2, 10, 16];
    const allowed = [unix, inet, inet6, netlink];
    for (const call of [machine.socket, machine.socketpair])
      for (let family = 0; family < 64; family += 1)
        expect(answer(call, family), `${call} ${family}`).toBe(
          allowed.includes(family) ? 'allow' : 'EAFNOSUPPORT',
        );
    expect(answer(machine.socket, 0xffffffff00000028n)).toBe('EAFNOSUPPORT'); // the kernel takes the low half
  });

  it('lets daily work pass', () => {
    for (const number of machine.daily) expect(answer(number), String(number)).toBe('allow');
  });
});
