/**
 * Version managers in a home folder: where each keeps its programs, and what its programs look for. Only folders and
 * files with programs are named here, never those with credentials or settings, and never a clone's own `.git`.
 * Paths are below the home folder; an absolute one stands where it says.
 */
export interface VersionManager {
  readonly name: string;
  readonly folders: readonly string[];
  /** Single files in a folder of which the rest stays invisible. */
  readonly files?: readonly string[];
  /** Where its programs lie: on PATH where the daemon's own is not known; `*` stands for any one name. */
  readonly bins: readonly string[];
  /** Variables by which its programs find their versions, since the home folder inside is another. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Managers whose shims are scripts and whose versions lie side by side: pyenv and those made after it. */
function shimmed(name: string, root: string): VersionManager {
  const parts = ['bin', 'libexec', 'shims', 'versions', 'plugins'].map((part) => `.${name}/${part}`);
  return {
    name,
    folders: parts,
    files: [`.${name}/version`],
    bins: [`.${name}/shims`, `.${name}/bin`],
    env: { [root]: `.${name}` },
  };
}

function conda(folder: string): VersionManager {
  const parts = ['bin', 'lib', 'libexec', 'share', 'ssl', 'include', 'envs', 'condabin'];
  return { name: folder, folders: parts.map((part) => `${folder}/${part}`), bins: [`${folder}/bin`] };
}

const asdf = ['bin', 'lib', 'libexec', 'shims', 'installs', 'plugins'].map((part) => `.asdf/${part}`);
const homebrew = '/home/linuxbrew/.linuxbrew';

export const versionManagers: readonly VersionManager[] = [
  { name: 'nvm', folders: ['.nvm/versions'], bins: [] },
  { name: 'fnm', folders: ['.local/share/fnm/node-versions', '.fnm/node-versions'], bins: [] },
  { name: 'n', folders: ['n/bin', 'n/lib', 'n/n/versions'], bins: ['n/bin'] },
  {
    name: 'volta',
    folders: ['.volta/bin', '.volta/tools'],
    files: ['.volta/layout.v3', '.volta/layout.v4'],
    bins: ['.volta/bin'],
    env: { VOLTA_HOME: '.volta' },
  },
  shimmed('nodenv', 'NODENV_ROOT'),
  shimmed('pyenv', 'PYENV_ROOT'),
  shimmed('rbenv', 'RBENV_ROOT'),
  {
    name: 'rust',
    folders: ['.cargo/bin', '.rustup/toolchains'],
    files: ['.rustup/settings.toml'],
    bins: ['.cargo/bin'],
    env: { RUSTUP_HOME: '.rustup' },
  },
  { name: 'go', folders: ['go/bin'], bins: ['go/bin'] },
  {
    name: 'asdf',
    folders: asdf,
    files: ['.asdf/asdf.sh', '.asdf/VERSION', '.asdf/version.txt', '.local/bin/asdf'],
    bins: ['.asdf/shims', '.asdf/bin'],
    env: { ASDF_DIR: '.asdf', ASDF_DATA_DIR: '.asdf' },
  },
  {
    name: 'mise',
    folders: ['installs', 'shims', 'plugins'].map((part) => `.local/share/mise/${part}`),
    files: ['.local/bin/mise'],
    bins: ['.local/share/mise/shims'],
    // Nothing has to be trusted inside: whatever a configuration runs is held.
    env: { MISE_DATA_DIR: '.local/share/mise', MISE_TRUSTED_CONFIG_PATHS: '/' },
  },
  {
    name: 'sdkman',
    folders: ['.sdkman/candidates'],
    bins: ['.sdkman/candidates/*/current/bin'],
    env: { SDKMAN_CANDIDATES_DIR: '.sdkman/candidates' },
  },
  { name: 'bun', folders: ['.bun/bin'], bins: ['.bun/bin'] },
  { name: 'deno', folders: ['.deno/bin'], bins: ['.deno/bin'] },
  {
    name: 'uv',
    folders: ['.local/share/uv/python', '.local/share/uv/tools'],
    files: ['.local/bin/uv', '.local/bin/uvx'],
    bins: [],
    env: { UV_PYTHON_INSTALL_DIR: '.local/share/uv/python' },
  },
  ...['miniconda3', 'anaconda3', 'miniforge3'].map(conda),
  {
    name: 'homebrew',
    folders: ['bin', 'sbin', 'lib', 'opt', 'Cellar', 'share'].map((part) => `${homebrew}/${part}`),
    bins: [`${homebrew}/bin`, `${homebrew}/sbin`],
  },
];
