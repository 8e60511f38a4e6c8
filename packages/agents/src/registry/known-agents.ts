import { limits } from '@switchyard/protocol';
import type { z } from 'zod';
import type { agentSpecs } from './agent-spec.ts';
import { serversStartSeconds } from '../mcp/mcp-bridge.ts';
import { piExtension } from './pi-extension.ts';

/** No telemetry, no updates, no questions: there is no network, and nobody at the terminal. */
const claudeEnv = {
  ANTHROPIC_BASE_URL: '{{anthropic}}',
  ANTHROPIC_API_KEY: '{{token}}',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  // Without the servers of its task it would begin to work all the same, on a machine that is busy.
  MCP_CONNECTION_NONBLOCKING: '0',
  MCP_CONNECT_TIMEOUT_MS: String(serversStartSeconds * 1_000),
  MCP_TIMEOUT: String(serversStartSeconds * 1_000),
  // A tool of ours may wait for a person.
  MCP_TOOL_TIMEOUT: String(limits.questionWaitMs + 60_000),
  // It refuses to skip its own questions as root unless it is told that it stands in a sandbox, as it does.
  IS_SANDBOX: '1',
};

/** Over ACP the program is told no model by its arguments. */
const claudeAcpEnv = { ...claudeEnv, ANTHROPIC_MODEL: '{{model}}' };

/** Its own sandbox cannot start inside ours, which holds it as a whole. */
const codexConfig = `model_provider = "switchyard"
check_for_update_on_startup = false
approval_policy = "never"
sandbox_mode = "danger-full-access"

[model_providers.switchyard]
name = "switchyard"
base_url = "{{openai}}"
wire_api = "responses"
env_key = "SWITCHYARD_MODEL_TOKEN"

[analytics]
enabled = false

[features]
plugins = false
apps = false

{{mcpToml}}`;

const piModels = JSON.stringify({
  providers: {
    switchyard: {
      baseUrl: '{{openai}}',
      api: 'openai-completions',
      apiKey: '{{token}}',
      models: [{ id: '{{model}}' }],
    },
  },
});

const geminiEnv = {
  GOOGLE_GEMINI_BASE_URL: '{{gemini}}',
  GEMINI_API_KEY: '{{token}}',
  GEMINI_TELEMETRY_ENABLED: 'false',
};

const openaiEnv = { OPENAI_BASE_URL: '{{openai}}', OPENAI_API_KEY: '{{token}}' };

/** A provider of one's own, with which it needs no login at GitHub. */
const copilotEnv = {
  COPILOT_PROVIDER_TYPE: 'openai',
  COPILOT_PROVIDER_BASE_URL: '{{openai}}',
  COPILOT_PROVIDER_API_KEY: '{{token}}',
  COPILOT_MODEL: '{{model}}',
  COPILOT_OFFLINE: 'true',
  COPILOT_AUTO_UPDATE: 'false',
};

const opencodeConfig = JSON.stringify({
  autoupdate: false,
  share: 'disabled',
  model: 'switchyard/{{model}}',
  provider: {
    switchyard: {
      npm: '@ai-sdk/openai-compatible',
      name: 'switchyard',
      options: { baseURL: '{{openai}}', apiKey: '{{token}}' },
      models: { '{{model}}': {} },
    },
  },
});

/** Of agents that the tests run only where somebody has installed them (`test/agents/more-agents.test.ts`). */
const untested = 'tried with a scripted model at this version; no regular test runs it';

/** The agents that Switchyard knows by itself. */
export const knownAgents: z.input<typeof agentSpecs> = {
  'claude-code': {
    title: 'Claude Code',
    install: '@anthropic-ai/claude-code@2.1.197 @zed-industries/claude-code-acp@0.16.2',
    cli: {
      program: 'claude',
      args: [
        '-p',
        '--permission-mode',
        'bypassPermissions',
        '--output-format',
        'stream-json',
        '--verbose',
        ['--strict-mcp-config', '--mcp-config', '{{mcpJson}}'],
        '--no-session-persistence',
        ['--model', '{{model}}'],
      ],
      env: claudeEnv,
      output: 'claude',
    },
    acp: {
      program: 'claude-code-acp',
      env: claudeAcpEnv,
      homeFiles: { '.claude/settings.json': '{}' },
      mode: 'default',
      missingFileIsEmpty: true,
    },
  },
  'claude-agent': {
    title: 'Claude Agent over ACP, which writes files itself',
    install: '@agentclientprotocol/claude-agent-acp@0.49.0',
    acp: { program: 'claude-agent-acp', untested, env: claudeAcpEnv, mode: 'default' },
  },
  codex: {
    title: 'Codex',
    install: '@openai/codex@0.169.0 @agentclientprotocol/codex-acp@2.6.0',
    cli: {
      program: 'codex',
      args: ['exec', '--json', '--skip-git-repo-check', ['-m', '{{model}}'], '-'],
      env: { SWITCHYARD_MODEL_TOKEN: '{{token}}' },
      homeFiles: { '.codex/config.toml': codexConfig },
      output: 'codex',
    },
    acp: {
      program: 'codex-acp',
      untested,
      env: { SWITCHYARD_MODEL_TOKEN: '{{token}}', CODEX_CONFIG: '{"model":"{{model}}"}' },
      homeFiles: { '.codex/config.toml': codexConfig },
      // It may start read-only.
      mode: 'agent-full-access',
    },
  },
  pi: {
    title: 'Pi',
    install: '@mariozechner/pi-coding-agent@0.73.1',
    needsModel: true,
    cli: {
      program: 'pi',
      args: [
        '-p',
        '--mode',
        'json',
        '--offline',
        '--no-session',
        '--provider',
        'switchyard',
        '--model',
        '{{model}}',
      ],
      homeFiles: {
        '.pi/agent/models.json': piModels,
        '.pi/agent/extensions/switchyard.js': piExtension,
      },
      output: 'pi',
    },
  },
  gemini: {
    title: 'Gemini CLI',
    install: '@google/gemini-cli@0.61.0',
    acp: {
      program: 'gemini',
      untested,
      args: ['--acp', ['--model', '{{model}}']],
      env: geminiEnv,
      missingFileIsEmpty: true,
      homeFiles: {
        '.gemini/settings.json':
          '{"security":{"auth":{"selectedType":"gemini-api-key"}},"general":{"disableAutoUpdate":true}}',
      },
    },
  },
  qwen: {
    title: 'Qwen Code',
    install: '@qwen-code/qwen-code@0.15.10',
    acp: {
      program: 'qwen',
      untested,
      args: ['--acp', '--auth-type', 'openai', ['--model', '{{model}}']],
      env: { ...openaiEnv, OPENAI_MODEL: '{{model}}' },
    },
  },
  opencode: {
    title: 'opencode',
    install: 'opencode-ai@1.18.33',
    needsModel: true,
    acp: {
      program: 'opencode',
      untested,
      args: ['acp'],
      homeFiles: { '.config/opencode/opencode.json': opencodeConfig },
    },
  },
  copilot: {
    title: 'GitHub Copilot CLI',
    install: '@github/copilot@1.0.102',
    needsModel: true,
    acp: { program: 'copilot', untested, args: ['--acp'], env: copilotEnv },
  },
};
