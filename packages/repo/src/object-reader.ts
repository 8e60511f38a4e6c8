import { AppError } from '@switchyard/protocol';
import { killGit, type Git, type GitChild } from './git-runner.ts';
import type { RawPath } from './raw-path.ts';
import { folderMode, isFolder, parseTree, type TreeEntry } from './tree-entry.ts';

interface Waiting {
  resolve(object: { type: string; content: Buffer }): void;
  reject(error: Error): void;
  readonly id: string;
}

/** Reads many objects of one repository through one `git cat-file --batch`. Whoever opens it closes it. */
export class ObjectReader {
  private readonly child: GitChild;
  private readonly waiting: Waiting[] = [];
  private readonly trees = new Map<string, Map<RawPath, TreeEntry>>();
  private chunks: Buffer[] = [];
  private bytes = 0;
  private head: { type: string; size: number } | undefined;

  private constructor(child: GitChild) {
    this.child = child;
    child.stdout.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.bytes += chunk.length;
      this.answer();
    });
    child.stdin.on('error', () => undefined); // told by the end of the process
    child.stderr.resume();
    child.once('error', (error) => this.fail(error.message));
    child.once('close', () => this.fail('git cat-file ended'));
  }

  /** Opens a reader, hands it to the work, and closes it. */
  static async use<T>(git: Git, work: (reader: ObjectReader) => Promise<T>): Promise<T> {
    const reader = new ObjectReader(await git.start(['cat-file', '--batch']));
    try {
      return await work(reader);
    } finally {
      killGit(reader.child);
    }
  }

  /** The type and content of an object, named by its id or as `<commit>^{tree}`. Throws AppError E_IO. */
  read(name: string): Promise<{ type: string; content: Buffer }> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject, id: name });
      this.child.stdin.write(`${name}\n`);
    });
  }

  async blob(entry: TreeEntry): Promise<Buffer> {
    return (await this.read(entry.id)).content;
  }

  /** The root of a commit as an entry, so that it is treated like any folder. */
  async root(git: Git, commit: string): Promise<TreeEntry> {
    return { mode: folderMode, id: await git.line(['rev-parse', '--verify', `${commit}^{tree}`]) };
  }

  /** The names in a folder; none for nothing. */
  async list(entry: TreeEntry | undefined): Promise<ReadonlyMap<RawPath, TreeEntry>> {
    if (entry === undefined) return new Map();
    const known = this.trees.get(entry.id);
    if (known !== undefined) return known;
    const { content } = await this.read(entry.id);
    const listed = parseTree(content, entry.id.length / 2);
    this.trees.set(entry.id, listed);
    return listed;
  }

  /** What stands at a path; `blocked` when something that is no folder stands on the way. */
  async at(root: TreeEntry, path: RawPath): Promise<TreeEntry | undefined | 'blocked'> {
    let entry: TreeEntry | undefined = root;
    for (const name of partsOf(path)) {
      if (entry === undefined) return undefined;
      if (!isFolder(entry)) return 'blocked';
      entry = (await this.list(entry)).get(name);
    }
    return entry;
  }

  private answer(): void {
    while (this.waiting.length > 0 && this.takeOne());
  }

  /** Takes one whole answer off the stream; false if it is not whole yet. */
  private takeOne(): boolean {
    if (this.head !== undefined && this.bytes < this.head.size + 1) return false;
    let data = this.chunks.length === 1 ? (this.chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.chunks);
    if (this.head === undefined) {
      const end = data.indexOf(0x0a);
      if (end < 0) return this.keep(data, false);
      const line = data.toString('latin1', 0, end);
      data = data.subarray(end + 1);
      const [, type, size] = /^[0-9a-f]+ (\w+) (\d+)$/.exec(line) ?? [];
      if (type === undefined || size === undefined) {
        this.waiting.shift()?.reject(new AppError('E_IO', `the repository has no object ${line}`));
        return this.keep(data, true);
      }
      this.head = { type, size: Number(size) };
    }
    const { type, size } = this.head;
    if (data.length < size + 1) return this.keep(data, false);
    this.head = undefined;
    this.waiting.shift()?.resolve({ type, content: data.subarray(0, size) });
    return this.keep(data.subarray(size + 1), true);
  }

  private keep(data: Buffer, isTaken: boolean): boolean {
    this.chunks = data.length === 0 ? [] : [data];
    this.bytes = data.length;
    return isTaken;
  }

  private fail(why: string): void {
    for (const waiting of this.waiting.splice(0)) {
      waiting.reject(new AppError('E_IO', `the object ${waiting.id} could not be read: ${why}`));
    }
  }
}

/** The names of a path; none for `.`. */
export function partsOf(path: RawPath): RawPath[] {
  return path === '.' || path === '' ? [] : (path.split('/') as RawPath[]);
}
