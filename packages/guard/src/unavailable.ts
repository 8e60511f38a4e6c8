/** Why a machine that has bubblewrap cannot use it, and the command that mends it. */
import { existsSync, readFileSync } from 'node:fs';

/** What is known about a machine whose sandbox does not start. */
export interface MachineFacts {
  readonly isRoot: boolean;
  readonly isContainer: boolean;
  /** A container of Kubernetes. */
  readonly isPod: boolean;
  /** Windows Subsystem for Linux, version 1: no kernel of Linux. */
  readonly isWsl1: boolean;
  /** This process is itself held by a system call filter: of a container, a service, or a sandbox like ours. */
  readonly isFiltered: boolean;
  /** Contents of files under /proc/sys; undefined: not there. */
  readonly apparmorRestrictsUserns: string | undefined;
  readonly unprivilegedUsernsClone: string | undefined;
  readonly maxUserNamespaces: string | undefined;
}

/** What is asked of a machine. */
export interface MachineProbe {
  readonly isRoot: boolean;
  exists(path: string): boolean;
  /** Content of a small file; undefined: not there, or not to be read. */
  read(path: string): string | undefined;
}

/** Reads the facts of a machine; absent: of this one. */
export function machineFacts(probe: MachineProbe = thisMachine()): MachineFacts {
  const setting = (name: string): string | undefined => probe.read(`/proc/sys/${name}`)?.trim();
  const isPod = probe.exists('/var/run/secrets/kubernetes.io');
  return {
    isRoot: probe.isRoot,
    isContainer:
      isPod ||
      ['/.dockerenv', '/run/.containerenv', '/run/systemd/container'].some((path) => probe.exists(path)),
    isPod,
    isWsl1: /Microsoft/.test(probe.read('/proc/version') ?? ''),
    isFiltered: /^Seccomp:\s*2$/m.test(probe.read('/proc/self/status') ?? ''),
    apparmorRestrictsUserns: setting('kernel/apparmor_restrict_unprivileged_userns'),
    unprivilegedUsernsClone: setting('kernel/unprivileged_userns_clone'),
    maxUserNamespaces: setting('user/max_user_namespaces'),
  };
}

function thisMachine(): MachineProbe {
  return {
    isRoot: process.getuid?.() === 0,
    exists: existsSync,
    read(path) {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined; // this kernel does not have it
      }
    },
  };
}

/** What bwrap says when the kernel or a security module keeps it from its namespaces. */
const namespaceWords =
  /new namespace|uid map|gid map|setgroups|RTM_NEW|make \/ slave|mount proc|pivot_root|mount tmpfs|disable-userns|user namespaces/i;

/** Reasons with the sign that each is known by and the exact way out; the first that fits is told. */
const reasons: readonly (readonly [
  fits: (facts: MachineFacts, words: string) => boolean,
  text: (words: string) => string,
])[] = [
  [
    ({ maxUserNamespaces }, words) =>
      maxUserNamespaces === '0' || /namespace.*(?:No space left|ENOSPC)/i.test(words),
    () =>
      'user namespaces are turned off, or used up (user.max_user_namespaces). Turn them on: sudo sysctl -w user.max_user_namespaces=15000',
  ],
  [
    ({ apparmorRestrictsUserns, isRoot }) => apparmorRestrictsUserns === '1' && !isRoot,
    () =>
      'AppArmor restricts user namespaces (the default of Ubuntu 24.04). Either allow them for bwrap: ' +
      `printf '%s\\n' 'abi <abi/4.0>,' 'include <tunables/global>' 'profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap ` +
      '- or for all programs: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  ],
  [
    ({ unprivilegedUsernsClone, isRoot }) => unprivilegedUsernsClone === '0' && !isRoot,
    () =>
      'user namespaces are closed to ordinary users. Open them: sudo sysctl -w kernel.unprivileged_userns_clone=1',
  ],
  [
    ({ isWsl1 }) => isWsl1,
    () =>
      'version 1 of the Windows Subsystem for Linux has no namespaces. In PowerShell, take version 2: wsl --set-version <distribution> 2',
  ],
  [
    ({ isPod }) => isPod,
    (words) =>
      `this pod does not allow user namespaces (${firstLine(words)}). Give its container in the pod's description: ` +
      'securityContext: { seccompProfile: { type: Unconfined }, appArmorProfile: { type: Unconfined }, procMount: Unmasked }, and the pod: hostUsers: false',
  ],
  [
    ({ isContainer }) => isContainer,
    (words) =>
      `this container does not allow user namespaces (${firstLine(words)}). Start it with: ` +
      'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined ...',
  ],
  [
    ({ isFiltered }) => isFiltered,
    (words) =>
      `this process is itself held by a system call filter that forbids namespaces (${firstLine(words)}). ` +
      'Start Switchyard outside of that sandbox; in a service of systemd, take RestrictNamespaces= and SystemCallFilter= away: systemctl edit <service>',
  ],
];

/** One paragraph: what is closed, and the exact command. `words` is what the sandbox program said. */
export function explainFailure(words: string, facts: MachineFacts): string {
  const reason = namespaceWords.test(words) ? reasons.find(([fits]) => fits(facts, words)) : undefined;
  return (
    reason?.[1](words) ??
    `bubblewrap does not start: ${firstLine(words)}. Try: bwrap --unshare-all --ro-bind / / true`
  );
}

const installers: readonly (readonly [program: string, command: string])[] = [
  ['/usr/bin/apt-get', 'apt-get install'],
  ['/usr/bin/dnf', 'dnf install'],
  ['/usr/bin/pacman', 'pacman -S'],
  ['/usr/bin/zypper', 'zypper install'],
  ['/sbin/apk', 'apk add'],
];

/** The command that installs a package on this machine. */
export function installCommand(name: string): string {
  const command = installers.find(([program]) => existsSync(program))?.[1] ?? 'apt-get install';
  return `${process.getuid?.() === 0 ? '' : 'sudo '}${command} ${name}`;
}

function firstLine(words: string): string {
  return words.trim().split('\n')[0] ?? '';
}
