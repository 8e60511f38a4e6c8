import { z } from 'zod';

/**
 * What is known of an agent, as data: how it is started, told its model, and understood. In arguments, environment and
 * files `{{anthropic}}`, `{{openai}}`, `{{gemini}}` stand for the addresses of the model, `{{token}}` for the key of this
 * attempt, `{{model}}` for the model that the task names, `{{tree}}` for the checkout, `{{mcpJson}}` and `{{mcpToml}}` for
 * the MCP servers of the task.
 */
const launchShape = {
  /** Its name, looked for in the agent folders and on PATH; or an absolute path. */
  program: z.string().min(1).max(4096),
  /** A list within the list is left out when something that it speaks of is not there, such as the model. */
  args: z
    .array(z.union([z.string().max(4096), z.array(z.string().max(4096)).min(1).max(20)]))
    .max(100)
    .default([]),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(4096)).default({}),
  /** Why no test of Switchyard runs it so, for people; absent: tests do, or its operator has added it. */
  untested: z.string().min(1).max(200).optional(),
  /** Files of its private home folder by their path in it. In `.json` and `.toml` files values are escaped; one that speaks of `{{mcpJson}}` is left out where there are no servers. */
  homeFiles: z.record(z.string().min(1).max(500), z.string().max(64_000)).default({}),
};

export const cliOutputs = ['claude', 'codex', 'pi', 'text'] as const;

const cliLaunch = z.strictObject({
  ...launchShape,
  /** Whose JSON lines it prints; `text`: its last words are the result, its exit code says how it went. */
  output: z.enum(cliOutputs),
});
export type CliLaunch = z.output<typeof cliLaunch>;

const acpLaunch = z.strictObject({
  ...launchShape,
  /** The session mode to set where the task names none: one in which the agent may edit. */
  mode: z.string().min(1).max(100).optional(),
  /** It cannot take an error for a file that is not there: empty content is answered. */
  missingFileIsEmpty: z.boolean().default(false),
});
export type AcpLaunch = z.output<typeof acpLaunch>;
export type Launch = CliLaunch | AcpLaunch;

export const agentSpec = z.strictObject({
  /** For people. */
  title: z.string().min(1).max(200),
  /** What npm installs for it, with its exact version; `doctor` tells it. */
  install: z.string().min(1).max(300).optional(),
  /** It cannot choose a model by itself: the task has to name one. */
  needsModel: z.boolean().default(false),
  cli: cliLaunch.optional(),
  acp: acpLaunch.optional(),
});
export type AgentSpec = z.output<typeof agentSpec>;

/** Agents by the names that plans use; what the operator's configuration adds has this form too. */
export const agentSpecs = z.record(
  z.string().regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'a name of letters, digits, . _ -'),
  agentSpec,
);
