import { noFacts, type FileFacts } from '../code/file-facts.ts';
import type { AnalysisFile, AnalysisRequest } from '../engine.ts';
import { isOfKind, languageOf } from '../path-kind.ts';
import { readPolicy } from '../policy/review-policy.ts';
import type { Scanner } from '../scanner.ts';
import { readSource } from '../source-file.ts';
import { listTree } from './tree-files.ts';

/** The tree before and after a change, each thing read at most once. */
export class ChangeView {
  readonly request: AnalysisRequest;
  private readonly scanner: Scanner;
  private readonly texts = new Map<string, Promise<string | undefined>>();
  private readonly facts = new Map<string, Promise<FileFacts>>();
  private paths: Promise<readonly string[]> | undefined;
  private tests: Promise<readonly string[]> | undefined;

  constructor(request: AnalysisRequest, scanner: Scanner) {
    this.request = request;
    this.scanner = scanner;
  }

  /** Whether there is a tree to compare with. */
  get hasBase(): boolean {
    return this.request.base !== undefined;
  }

  /** Changed files that still are there. */
  get present(): readonly AnalysisFile[] {
    return this.request.files.filter((file) => file.change !== 'deleted' && !file.binary);
  }

  get deleted(): readonly AnalysisFile[] {
    return this.request.files.filter((file) => file.change === 'deleted' && !file.binary);
  }

  changedFile(path: string): AnalysisFile | undefined {
    return this.request.files.find((file) => file.path === path);
  }

  before(path: string): Promise<string | undefined> {
    return this.once(`<${path}`, async () => this.request.base?.read(path));
  }

  after(path: string): Promise<string | undefined> {
    return this.once(`>${path}`, async () => {
      const source = await readSource(this.request.root, path);
      return source.kind === 'text' ? source.text : undefined;
    });
  }

  async factsBefore(path: string): Promise<FileFacts> {
    const text = await this.before(path);
    return text === undefined ? noFacts : this.factsOf(`<${path}`, path, text);
  }

  async factsAfter(path: string): Promise<FileFacts> {
    const text = await this.after(path);
    return text === undefined ? noFacts : this.factsOf(`>${path}`, path, text);
  }

  /** Every file of the tree, up to a limit, without what is built or installed. */
  tree(): Promise<readonly string[]> {
    this.paths ??= listTree(this.request.root);
    return this.paths;
  }

  /** Sources of the tree that hold tests. */
  testFiles(): Promise<readonly string[]> {
    this.tests ??= this.tree().then((paths) =>
      paths.filter((path) => isOfKind(path, 'tests') && languageOf(path) !== undefined),
    );
    return this.tests;
  }

  /** Tests that a change may not loosen at all. */
  async protectedTests(): Promise<readonly string[]> {
    return (await readPolicy(this.request)).protected;
  }

  private once(key: string, read: () => Promise<string | undefined>): Promise<string | undefined> {
    const known = this.texts.get(key) ?? read();
    this.texts.set(key, known);
    return known;
  }

  /** Read in the scan process; a text that cannot be parsed in time has no facts, and other engines name it. */
  private factsOf(key: string, path: string, text: string): Promise<FileFacts> {
    const known = this.facts.get(key) ?? this.readFacts(path, text);
    this.facts.set(key, known);
    return known;
  }

  private async readFacts(path: string, text: string): Promise<FileFacts> {
    if (languageOf(path) === undefined) return noFacts;
    const { root, specializations, signal } = this.request;
    const job = { scan: 'facts' as const, specializations: [...specializations], root, path, text };
    const outcome = await this.scanner.scan(job, signal);
    return outcome.kind === 'facts' ? outcome.facts : noFacts;
  }
}
