/** Why a machine that has bubblewrap cannot use it, and the command that mends it. */
import { existsSync, readFileSync } from 'node:fs';

/** What is known about a machine whose sandbox does not start. */
export interface MachineFacts {
  readonly isRoot: boolean;
  readonly isContainer: boolean;
  /** Contents of files under /proc/sys; undefined: not there. */
  readonly apparmorRestrictsUserns: string | undefined;
  readonly unprivilegedUsernsClone: string | undefined;
  readonly maxUserNamespaces: string | undefined;
}

/** Reads the facts of this machine. */
export function machineFacts(): MachineFacts {
  return {
    isRoot: process.getuid?.() === 0,
    isContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    apparmorRestrictsUserns: readSetting('kernel/apparmor_restrict_unprivileged_userns'),
    unprivilegedUsernsClone: readSetting('kernel/unprivileged_userns_clone'),
    maxUserNamespaces: readSetting('user/max_user_namespaces'),
  };
}

/** One paragraph: what is closed, and the exact command. `words` is what the sandbox program said. */
export function explainFailure(words: string, facts: MachineFacts): string {
  if (facts.maxUserNamespaces === '0')
    return 'user namespaces are turned off (user.max_user_namespaces is 0). Turn them on: sudo sysctl -w user.max_user_namespaces=15000';
  if (facts.apparmorRestrictsUserns === '1' && !facts.isRoot)
    return (
      'AppArmor restricts user namespaces (the default of Ubuntu 24.04). Either allow them for bwrap: ' +
      `printf '%s\\n' 'abi <abi/4.0>,' 'include <tunables/global>' 'profile bwrap /usr/bin/bwrap flags=(unconfined) { userns, }' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap ` +
      '- or for all programs: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'
    );
  if (facts.unprivilegedUsernsClone === '0' && !facts.isRoot)
    return 'user namespaces are closed to ordinary users. Open them: sudo sysctl -w kernel.unprivileged_userns_clone=1';
  if (facts.isContainer)
    return (
      `this container does not allow user namespaces (${firstLine(words)}). Start it with: ` +
      'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined ...'
    );
  return `bubblewrap does not start: ${firstLine(words)}. Try: bwrap --unshare-all --ro-bind / / true`;
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

function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    return undefined; // this kernel does not have it
  }
}
