import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRoomodes, builtInModes } from '@switchyard/agents';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import pc from 'picocolors';
import { readEnvironment } from '@switchyard/access';
import type { CommandContext } from '../src/context.ts';
import { buildProgram } from '../src/program.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-modes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command line in this process. */
async function switchyard(args: readonly string[], cwd = folder) {
  let stdout = '';
  let stderr = '';
  const context: CommandContext = {
    terminal: {
      out: (text) => void (stdout += text),
      err: (text) => void (stderr += text),
      isScreen: false,
      columns: () => 80,
      rows: () => 24,
      paint: pc.createColors(false),
    },
    environment: readEnvironment({}),
    cwd,
    end: () => undefined,
  };
  const failed = await buildProgram(context)
    .parseAsync(args, { from: 'user' })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return { stdout, stderr, failed };
}

const custom = `customModes:
  - slug: docs-writer
    name: Docs
    roleDefinition: You write documentation.
    groups: [read, [edit, { fileRegex: '\\.md$' }]]
`;

describe('switchyard modes', () => {
  it('lists ours and those of the repository', async () => {
    mkdirSync(join(folder, '.git'));
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, '.roomodes'), custom);
    const { stdout, failed } = await switchyard(['modes', 'list'], join(folder, 'src'));
    expect(failed).toBeUndefined();
    expect(stdout).toMatch(/^docs-writer\s+read edit\(\\\.md\$\)\s+\.\.\/\.roomodes\s+Docs$/m);
    expect(stdout).toMatch(/^orchestrator\s+read command mcp spawn\s+built in\s+Orchestrator$/m);
    expect(stdout.trim().split('\n')).toHaveLength(builtInModes.length + 2);
  });

  it('shows one, with its tools', async () => {
    const { stdout } = await switchyard(['modes', 'show', 'reviewer']);
    expect(stdout).toMatch(/^reviewer-style: Style Reviewer\ntool groups: read command\ntools: read_file, /);
    expect(stdout).not.toContain('write_to_file');
    expect((await switchyard(['modes', 'show', 'nobody'])).failed).toMatchObject({ code: 'E_MODE' });
  });

  it.each(['yaml', 'json'])('exports ours as %s that reads back as they are', async (format) => {
    const { stdout } = await switchyard(['modes', 'export', '--format', format]);
    expect(readRoomodes(stdout, 'x')).toEqual({ modes: builtInModes, problems: [] });
  });

  it('exports some into a file that is not there yet', async () => {
    const args = ['modes', 'export', 'orchestrator', 'reviewer-security', '-o', 'out.yaml'];
    expect((await switchyard(args)).stdout).toBe('wrote out.yaml\n');
    const { modes } = readRoomodes(readFileSync(join(folder, 'out.yaml'), 'utf8'), 'x');
    expect(modes.map(({ slug }) => slug)).toEqual(['orchestrator', 'reviewer-security']);
    expect((await switchyard(args)).failed).toMatchObject({ code: 'E_USAGE' });
  });

  it('tells every problem of the file with its place', async () => {
    writeFileSync(join(folder, 'bad.yaml'), 'customModes:\n  - slug: a\n    groups: [write]\n');
    const { stderr, failed } = await switchyard(['modes', 'list', '--file', 'bad.yaml']);
    expect(failed).toMatchObject({ code: 'E_ROOMODES' });
    expect(stderr).toMatch(/^bad\.yaml:2:5: error: name is missing\n {2}fix: /);
    expect(stderr).toMatch(/^bad\.yaml:3:14: error: "write" is no tool group$/m);
  });
});
