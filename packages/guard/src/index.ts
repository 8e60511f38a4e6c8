export { openSandbox } from './sandbox.ts';
export {
  defaultLimits,
  type Sandbox,
  type SandboxEnd,
  type SandboxLimits,
  type SandboxMount,
  type SandboxOptions,
  type SandboxRequest,
  type SandboxResult,
} from './sandbox-request.ts';
export { toolchains, type Toolchain, type ToolchainOptions } from './toolchains.ts';
