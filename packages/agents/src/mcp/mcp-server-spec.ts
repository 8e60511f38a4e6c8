import { z } from 'zod';

/** An MCP server as the operator describes it: started for each attempt whose task names it, in a sandbox of its own. */
export const mcpServerSpec = z.strictObject({
  /** For people. */
  title: z.string().min(1).max(200),
  /** What npm installs for it; `doctor` tells it. */
  install: z.string().min(1).max(300).optional(),
  /** Its name, looked for as programs of agents are; or an absolute path. */
  program: z.string().min(1).max(4096),
  /** `{{tree}}` stands for the checkout. */
  args: z.array(z.string().max(4096)).max(100).default([]),
  /** Variables of the worker's environment that it is given; agents never see their values. */
  env: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
    .max(50)
    .default([]),
  /** Hosts that it may reach; agents do not reach them by it. */
  network: z.array(z.string().min(1).max(200)).max(50).default([]),
});
export type McpServerSpec = z.output<typeof mcpServerSpec>;

/** Servers by the names that plans use. */
export const mcpServerSpecs = z.record(
  z.string().regex(/^[A-Za-z0-9][\w-]{0,99}$/, 'a name of letters, digits, _ -'),
  mcpServerSpec,
);
