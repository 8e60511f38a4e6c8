import { isAppError, AppError, type CommitId, type ErrorCode } from '@switchyard/protocol';
import { gitLimits } from './git-limits.ts';
import { Git } from './git-runner.ts';
import { pinnedForwarder, type PinnedForwarder } from './pinned-forwarder.ts';

/** Where the orchestrator's repository is, and who asks. */
export interface HubRemoteOptions {
  /**
   * `http(s)://host:port/git`. A function is asked at every transfer, since an orchestrator may come back at another
   * address; together with a fingerprint it is asked once.
   */
  readonly url: string | (() => string);
  /** Asked at every transfer, since a one-time token is exchanged for a lasting one. */
  readonly token: () => string;
  /** `sha256:…` of the certificate: the only one that is accepted, whoever signed it. */
  readonly fingerprint?: string;
}

const settings = [
  // The token goes nowhere else.
  'http.followRedirects=false',
  'http.lowSpeedLimit=1',
  'http.lowSpeedTime=120',
].flatMap((setting) => ['-c', setting]);

/** Transfers between a bare repository of ours and the orchestrator's, over its one port. */
export class HubRemote {
  private readonly options: HubRemoteOptions;
  private readonly forwarder: PinnedForwarder | undefined;

  private constructor(options: HubRemoteOptions, forwarder: PinnedForwarder | undefined) {
    this.options = options;
    this.forwarder = forwarder;
  }

  /** Opens the way there; nothing is sent yet. Throws AppError E_FINGERPRINT. */
  static async open(options: HubRemoteOptions): Promise<HubRemote> {
    const { fingerprint } = options;
    if (fingerprint === undefined) return new HubRemote(options, undefined);
    return new HubRemote(options, await pinnedForwarder({ url: urlOf(options), fingerprint }));
  }

  /** Fetches commits by name, with their history, and keeps each under `refFor(commit)`. */
  async fetch(
    gitDir: string,
    commits: readonly CommitId[],
    refFor: (commit: CommitId) => string,
  ): Promise<void> {
    const options =
      '-q --no-tags --no-write-fetch-head --no-recurse-submodules --no-auto-maintenance --refmap=';
    const specs = commits.map((commit) => `+${commit}:${refFor(commit)}`);
    await this.transfer(gitDir, (address) => ['fetch', ...options.split(' '), address, ...specs]);
  }

  /** Creates a ref there. A ref that is there already with this commit is fine. */
  async push(gitDir: string, ref: string, commit: CommitId): Promise<void> {
    try {
      await this.transfer(gitDir, (address) => ['push', '-q', '--no-verify', address, `${commit}:${ref}`]);
    } catch (error) {
      if (!isAppError(error) || error.code !== 'E_PROTOCOL') throw error;
      // Refused, perhaps because an earlier push arrived and its answer did not.
      if ((await this.tipOf(gitDir, ref)) !== commit) throw error;
    }
  }

  private async tipOf(gitDir: string, ref: string): Promise<string | undefined> {
    const listed = await this.transfer(gitDir, (address) => ['ls-remote', '-q', address, ref]);
    return /^([0-9a-f]+)\t/.exec(listed)?.[1];
  }

  private async transfer(gitDir: string, argsFor: (address: string) => string[]): Promise<string> {
    this.forwarder?.takeError();
    const address = this.forwarder?.url ?? urlOf(this.options);
    const args = argsFor(address);
    const git = new Git({
      gitDir,
      options: settings,
      env: {
        GIT_ALLOW_PROTOCOL: 'http:https',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: `http.${address}.extraHeader`,
        GIT_CONFIG_VALUE_0: `Authorization: Bearer ${this.options.token()}`,
      },
    });
    const failures = [1, 128, 129];
    const result = await git.run(args, { accept: failures, timeoutMs: gitLimits.longTimeoutMs });
    if (result.exitCode === 0) return result.stdout.toString();
    throw this.forwarder?.takeError() ?? transferError(args[0] ?? '', urlOf(this.options), result.stderr);
  }

  /** Ends what goes on; closing twice is fine. */
  close(): Promise<void> {
    return this.forwarder?.close() ?? Promise.resolve();
  }
}

function urlOf({ url }: HubRemoteOptions): string {
  return typeof url === 'string' ? url : url();
}

/** What git's words about a transfer mean; what is not known is taken for an orchestrator that is away. */
const meanings: readonly (readonly [RegExp, ErrorCode])[] = [
  [/No space left on device|disk quota exceeded/i, 'E_DISK_FULL'],
  [/returned error: 40[13]|Authentication failed|could not read (Username|Password)/i, 'E_TOKEN'],
  [/not our ref|couldn't find remote ref|bad object|unadvertised object/i, 'E_NOT_FOUND'],
  [/SSL certificate|certificate verif/i, 'E_FINGERPRINT'],
  [/returned error: 4|\[(remote )?rejected\]|remote unpack failed|fsck error|unpacker error/i, 'E_PROTOCOL'],
];

function transferError(what: string, url: string, stderr: string): AppError {
  const said = stderr.trim().slice(-1000);
  const code = meanings.find(([pattern]) => pattern.test(stderr))?.[1] ?? 'E_UNREACHABLE';
  return new AppError(code, `git ${what} at ${url} failed: ${said === '' ? 'it said nothing' : said}`);
}
