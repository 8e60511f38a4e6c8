import { specializations } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import {
  builtInModes,
  chooseByHand,
  modeInRole,
  openToolbox,
  readRoomodes,
  roomodesFormats,
  toolSet,
  writeRoomodes,
  type Mode,
  type ToolPorts,
} from '../src/index.ts';

const groupsOf = (mode: Mode) => mode.grants.map(({ group }) => group);

/** Surroundings that have everything, so that only modes decide what is offered. */
const everything: ToolPorts = {
  files: {
    readFile: () => unused(),
    writeFile: () => unused(),
    applyDiff: () => unused(),
    insertContent: () => unused(),
    listFiles: () => unused(),
    searchFiles: () => unused(),
    move: () => unused(),
    remove: () => unused(),
    explain: () => ({ allowed: true, reason: '' }),
  },
  root: '/checkout',
  run: () => unused(),
  mcp: { servers: [{ name: 'x', tools: [] }], callTool: () => unused() },
  ask: () => unused(),
  spawn: () => unused(),
  handInPlan: () => unused(),
  signal: new AbortController().signal,
};
function unused(): Promise<never> {
  return Promise.reject(new Error('nobody calls this'));
}
const offered = (mode: Mode) => openToolbox(mode, everything).tools.map(({ name }) => name);

describe('the built-in modes', () => {
  it('grant what the issue says', () => {
    expect(Object.fromEntries(builtInModes.map((mode) => [mode.slug, groupsOf(mode)]))).toEqual({
      orchestrator: ['read', 'command', 'mcp', 'spawn'],
      worker: ['read', 'edit', 'command', 'mcp'],
      ...Object.fromEntries(specializations.map((name) => [`reviewer-${name}`, ['read', 'command']])),
    });
  });

  it('only the orchestrator can spawn, only the worker can edit', () => {
    for (const mode of builtInModes) {
      for (const tool of ['spawn_parallel_instance', 'hand_in_plan'])
        expect(offered(mode).includes(tool)).toBe(mode.slug === 'orchestrator');
      expect(offered(mode).includes('write_to_file')).toBe(mode.slug === 'worker');
      expect(offered(mode)).toEqual(expect.arrayContaining(['read_file', 'attempt_completion']));
    }
    expect(new Set(builtInModes.flatMap(offered)).size).toBe(toolSet.length);
  });

  it('worker cannot be chosen by hand; reviewer is a reviewer', () => {
    expect(() => chooseByHand('worker', [])).toThrow(/cannot be chosen by hand/);
    expect(chooseByHand('reviewer', []).slug).toBe('reviewer-style');
    expect(modeInRole({ custom: [], role: 'worker' }).slug).toBe('worker');
    expect(() => chooseByHand('nobody', [])).toThrow(/no mode "nobody"; there is: orchestrator, worker, /);
  });

  it('are not for another role', () => {
    expect(() => modeInRole({ custom: [], role: 'worker', slug: 'orchestrator' })).toThrow(
      /is for orchestrators/,
    );
    expect(() => modeInRole({ custom: [], role: 'reviewer', slug: 'worker' })).toThrow(/is for workers/);
  });
});

const file = `customModes:
  - slug: docs-writer
    name: Docs
    roleDefinition: You write documentation.
    customInstructions: Be brief.
    groups:
      - read
      - - edit
        - fileRegex: \\.(md|mdx)$
          description: Markdown
      - spawn
      - command
  - slug: worker
    name: Own worker
    roleDefinition: Ours.
    groups: [read, edit]
`;

describe('a .roomodes file', () => {
  it('is read, and its modes never have more than their role', () => {
    const { modes, problems } = readRoomodes(file, '.roomodes');
    expect(problems).toEqual([]);
    const docs = modeInRole({ custom: modes, role: 'worker', slug: 'docs-writer' });
    expect(docs).toMatchObject({
      customInstructions: 'Be brief.',
      roleDefinition: 'You write documentation.',
    });
    expect(docs.grants).toEqual([
      { group: 'read' },
      { group: 'edit', fileRegex: '\\.(md|mdx)$', description: 'Markdown' },
      { group: 'command' },
    ]);
    expect(offered(docs)).not.toContain('spawn_parallel_instance');
    const asReviewer = modeInRole({ custom: modes, role: 'reviewer', slug: 'docs-writer' });
    expect(groupsOf(asReviewer)).toEqual(['read', 'command']);
  });

  it('narrows a role for everybody by its own slug', () => {
    const { modes } = readRoomodes(file, '.roomodes');
    expect(groupsOf(modeInRole({ custom: modes, role: 'worker' }))).toEqual(['read', 'edit']);
  });

  it('may be JSON', () => {
    const json = JSON.stringify({
      customModes: [
        { slug: 'a', name: 'A', roleDefinition: 'r', groups: ['read', ['edit', { fileRegex: 'x' }]] },
      ],
    });
    const { modes, problems } = readRoomodes(json, '.roomodes');
    expect(problems).toEqual([]);
    expect(modes).toMatchObject([
      { slug: 'a', grants: [{ group: 'read' }, { group: 'edit', fileRegex: 'x' }] },
    ]);
  });

  it('tells all that is wrong at once, with its place and a fix', () => {
    const bad = `customModes:
  - slug: "not a slug"
    name: N
    roleDefinition: r
    groups: [read, write]
  - slug: ok
    name: 7
    groups:
      - - read
        - fileRegex: x
      - - edit
        - fileRegex: "("
  - slug: browse
    name: B
    roleDefinition: r
    colour: red
    groups: [browser, read, read]
  - just words
`;
    const { modes, problems } = readRoomodes(bad, 'm.yaml');
    expect(modes).toEqual([]);
    expect(
      problems.map(({ severity, line, column, message }) => `${line}:${column} ${severity} ${message}`),
    ).toEqual([
      '2:11 error "not a slug" is no slug',
      '5:20 error "write" is no tool group',
      '7:11 error name is no text',
      '6:5 error roleDefinition is missing',
      '10:22 error fileRegex restricts the group edit, not read',
      '12:22 error ( is no regular expression',
      '17:14 warning there are no tools of the group "browser" here',
      '17:13 error the group "read" is listed twice',
      '16:13 warning "colour" is not known here',
      '18:5 error a mode is a map',
    ]);
    for (const problem of problems)
      expect(problem).toMatchObject({ file: 'm.yaml', fix: expect.stringMatching(/\w/) });
  });

  it.each([
    ['no YAML', 'customModes: [\n  - x', /\S/],
    ['no list', 'modes: []', /no list "customModes"/],
    ['nothing', '', /no list "customModes"/],
    [
      'two of one slug',
      `${file}${file.replace('customModes:\n', '')}`,
      /two modes have the slug "docs-writer"/,
    ],
    ['aliases that explode', 'a: &a [x,x]\nb: &b [*a,*a]\ncustomModes: *b\n', /a mode is a map/],
  ])('with %s is told, not thrown', (_what, source, says) => {
    const { problems } = readRoomodes(source, '.roomodes');
    expect(problems.map(({ message }) => message).join('\n')).toMatch(says);
    expect(problems.every(({ line, column }) => line >= 1 && column >= 1)).toBe(true);
  });

  it.each(roomodesFormats)('is what ours are written as (%s), and comes back the same', (format) => {
    const written = writeRoomodes(builtInModes, format);
    expect(readRoomodes(written, '.roomodes')).toEqual({ modes: builtInModes, problems: [] });
    const { modes } = readRoomodes(file, '.roomodes');
    expect(readRoomodes(writeRoomodes(modes, format), '.roomodes').modes).toEqual(modes);
  });
});
