import { existsSync, mkdirSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { attemptFolder } from '@switchyard/peer';
import type { RunId, RunReport } from '@switchyard/protocol';
import { renderHtml, renderMarkdown } from '@switchyard/report';
import type { ReportFiles, ReportWriter, WorkOf } from './ports.ts';

/** Keeps reports as `runs/<run>/report.{md,html,json}`; the JSON is written last and marks them whole. Case files lie beside them. */
export class FileReports implements ReportWriter {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async write(report: RunReport): Promise<ReportFiles> {
    const files = this.files(report.view.run);
    mkdirSync(join(this.folder, report.view.run), { recursive: true, mode: 0o700 });
    await writeWhole(files.markdown, renderMarkdown(report));
    await writeWhole(files.html, await renderHtml(report));
    await writeWhole(files.json, `${JSON.stringify(report, null, 2)}\n`);
    return files;
  }

  find(run: RunId): ReportFiles | undefined {
    const files = this.files(run);
    return existsSync(files.json) ? files : undefined;
  }

  drop(run: RunId): Promise<void> {
    return rm(this.files(run).json, { force: true });
  }

  async writeCase(file: string, text: string): Promise<void> {
    const target = join(dirname(this.folder), file);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    await writeWhole(target, text);
  }

  transcriptOf({ run, taskId, fence, worker }: WorkOf): string | undefined {
    const name = `${attemptFolder({ run, taskId, fence })}.ndjson`;
    const transcript = ['peers', worker, 'transcripts', name].join('/');
    return existsSync(join(dirname(this.folder), transcript)) ? transcript : undefined;
  }

  private files(run: RunId): ReportFiles {
    const base = join(this.folder, run, 'report');
    return { markdown: `${base}.md`, html: `${base}.html`, json: `${base}.json` };
  }
}

/** Readers see the old file or the new one, never half of it. */
async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
