import { existsSync, mkdirSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunId, RunReport } from '@switchyard/protocol';
import { renderHtml, renderMarkdown } from '@switchyard/report';
import type { ReportFiles, ReportWriter } from './ports.ts';

/** Keeps reports as `runs/<run>/report.{md,html,json}`; the JSON is written last and marks them whole. */
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
