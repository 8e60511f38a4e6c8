import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ModelDesk, type Said } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliBin, Scenario } from '../scenarios/harness.ts';
import { McpClient } from '../scenarios/mcp-client.ts';
import { authFiles, authPlan, authScript } from './auth-plan.ts';
import { openModelServer } from './model-server/model-server.ts';
import type { Fault, Script, Step } from './model-server/script.ts';

/** The executor `llm` as its users run it: the command line, daemons of their own, the gateway, a scripted model. */
let scenario: Scenario;
beforeEach(() => {
  scenario = new Scenario({ 'README.md': '# Shop\n', 'src/index.ts': 'export {};\n' });
});
afterEach(() => scenario.close());

/** Each task meets another trouble before its second step. */
const faults: Readonly<Record<string, Fault>> = {
  'auth-models': { status: 429, retryAfterSeconds: 1 },
  'auth-login': { cutAfter: 4 },
  'auth-session': { malformed: true },
  'auth-password-reset': { status: 500 },
  'auth-tests': { status: 529 },
};
const troubled: Script = Object.fromEntries(
  Object.entries(authScript).map(([id, steps]) => [
    id,
    steps.flatMap((step, at): Step[] => {
      const fault = faults[id];
      if (at !== 1 || fault === undefined) return [step];
      // A call that cannot be read is answered as such, and the model has to make it again.
      return fault.malformed === true ? [{ ...step, ...fault }, step] : [{ ...step, ...fault }];
    }),
  ]),
);

describe('our own loop', () => {
  it('carries out the plan, through throttling, errors, a cut stream and malformed calls', async () => {
    const server = await openModelServer({ script: troubled });
    try {
      scenario.write({ 'plan.json': authPlan({ kind: 'llm', model: 'scripted' }) });
      const run = await scenario.start(process.execPath, [cliBin, 'run', 'plan.json'], {
        OPENAI_BASE_URL: `${server.url}/v1`,
        OPENAI_API_KEY: 'a-key-of-the-user',
      }).ended;
      expect(run.code, run.stdout + run.stderr).toBe(0);
      const branch = scenario.git('for-each-ref', '--format=%(refname)', 'refs/heads/switchyard').trim();
      const changed = scenario.git('diff', '--name-only', 'main', branch).trim().split('\n');
      expect(changed.sort()).toEqual(Object.keys(authFiles).sort());
      for (const [file, content] of Object.entries(authFiles))
        expect(scenario.git('show', `${branch}:${file}`)).toBe(content);
      expect(new Set(server.requests.map(({ form }) => form))).toEqual(new Set(['chat']));
      expect(server.requests.filter(({ status }) => status !== 200).length).toBeGreaterThanOrEqual(3);
      expect(transcripts()).toHaveLength(5);
      await leadsToTranscripts(branch.split('/').at(-1) ?? '');
    } finally {
      await server.close();
    }
  });

  it('mends what a model has found in review, in the next round', async () => {
    const desk = await ModelDesk.open(({ body }) =>
      body.includes('submit_review') ? reviewer(body) : worker(body),
    );
    try {
      scenario.write({ 'plan.yaml': onePlan });
      const run = await scenario.start(process.execPath, [cliBin, 'run', 'plan.yaml'], {
        ANTHROPIC_BASE_URL: desk.endpoint.anthropic,
        ANTHROPIC_API_KEY: 'a-key-of-the-user',
        SWITCHYARD_REVIEW_MODEL: 'claude-reviewer',
      }).ended;
      expect(run.code, run.stdout + run.stderr).toBe(0);
      expect(run.stdout).toMatch(/rejected: security rejects: 1 critical; round 2 follows/);
      const branch = scenario.git('for-each-ref', '--format=%(refname)', 'refs/heads/switchyard').trim();
      expect(scenario.git('show', `${branch}:src/auth/login.ts`)).toBe(mended);
      const models = desk.heard.map(({ body }) => (JSON.parse(body) as { model: string }).model);
      expect(models.filter((name) => name === 'claude-reviewer')).toHaveLength(4);
    } finally {
      await desk.close();
    }
  });
});

const onePlan = `version: 1
name: login
tasks:
  - id: login
    instructions: Write the login handler
    workspace: src/auth
    executor: { kind: llm, model: claude-worker }
    review: { mode: required, specializations: [security] }
`;
const flawed = '/** Finds a user. */\nexport const find = (name: string): string => name;\n';
const mended =
  '/** Finds a user. */\nexport const find = (name: string): string => encodeURIComponent(name);\n';
const found = {
  severity: 'critical',
  file: 'src/auth/login.ts',
  line: 2,
  description: 'The name is not encoded',
};

const isFirst = (body: string): boolean => !body.includes('tool_use_id');

/** Writes the flaw first, and the mended file once it is told of it. */
function worker(body: string): Said {
  const content = body.includes(found.description) ? mended : flawed;
  if (isFirst(body)) return { calls: [{ tool: 'write_to_file', input: { path: found.file, content } }] };
  return { calls: [{ tool: 'attempt_completion', input: { result: 'the handler is there' } }] };
}

/** Reads first; then rejects what it reads where it is flawed. */
function reviewer(body: string): Said {
  if (isFirst(body)) return { calls: [{ tool: 'read_file', input: { path: found.file } }] };
  const findings = body.includes('encodeURIComponent') ? [] : [found];
  return { calls: [{ tool: 'submit_review', input: { summary: 'I read the handler.', findings } }] };
}

/** The report leads to what its agents said and did: as a program reads it, and as an agent does. */
async function leadsToTranscripts(run: string): Promise<void> {
  const told = await scenario.cli('report', run, '--format', 'json').ended;
  const { tasks } = JSON.parse(told.stdout) as { tasks: { attempts: { transcript: string }[] }[] };
  const named = tasks.flatMap(({ attempts }) => attempts.map(({ transcript }) => transcript));
  expect(named.map((name) => readFileSync(join(scenario.state, name), 'utf8')).sort()).toEqual(
    transcripts().sort(),
  );
  const agent = await new McpClient().stdio(scenario);
  const { report } = await agent.answer<{ report: string }>('report', { run });
  const [, uri = ''] = /\[What its agent said and did\]\(<([^>]+)>\)/.exec(report) ?? [];
  const { contents } = await agent.client.readResource({ uri });
  await agent.close();
  expect(JSON.stringify(contents)).toContain('attempt_completion');
}

/** What the workers kept of their agents. */
function transcripts(): string[] {
  const peers = join(scenario.state, 'peers');
  return readdirSync(peers, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('transcripts') && name.endsWith('.ndjson'))
    .map((name) => readFileSync(join(peers, name), 'utf8'));
}
