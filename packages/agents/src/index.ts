export type {
  AgentProcess,
  AgentProcessEnd,
  CommandOptions,
  CommandResult,
  CommandWrites,
  Executor,
  ExecutorContext,
  ExecutorOutcome,
  ExecutorTask,
  SpawnOptions,
} from './executor.ts';
export { eventLine, type AgentEvent, type PlanEntry, type ToolCallStatus } from './agent-event.ts';
export { commandExecutor } from './command-executor.ts';
export { executeTask } from './execute-task.ts';
export { failure, failureOf, tailOf, type FailureExtra } from './failure-of.ts';
export type { FileExplanation, FileGuard, FileIntent, GuardedEntry } from './file-guard.ts';
export type { AttemptModel, ModelEndpoint } from './model-endpoint.ts';
export { AttemptEscalated, type Question } from './question.ts';
export { WorkTime, type PausedMs, type WorkTimeOptions } from './work-time.ts';
export { HoldTimes } from './gateway/hold-times.ts';
export { ownServerName, serveOwnTools, type OwnTool } from './mcp/own-server.ts';
export { askTool } from './mcp/ask-tool.ts';
export { ownTools } from './mcp/own-tools.ts';
export type { FileAccess } from './tools/file-access.ts';
export { toolGroups, type Grant, type ToolGroup, type ToolRights } from './tools/tool-groups.ts';
export type { SpawnAnswer, SpawnRequest } from './spawn-request.ts';
export type { Tool, ToolAnswer, ToolCommand, ToolPorts } from './tools/tool.ts';
export { toolSet } from './tools/tool-set.ts';
export { openToolbox, type Toolbox, type ToolOutcome } from './tools/toolbox.ts';
export { serverNames } from './tools/outward-tools.ts';
export { createLlmExecutor, type LlmExecutorOptions } from './llm/llm-executor.ts';
export { runLoop, type LoopEnd, type LoopOptions } from './llm/agent-loop.ts';
export {
  reviewByModel,
  type ModelReview,
  type ModelReviewOptions,
  type ReviewJob,
} from './llm/model-review.ts';
export { llmLimits, type LlmLimits } from './llm/llm-limits.ts';
export { openModel, type ModelAccess } from './llm/open-model.ts';
export type { Mode, Role } from './modes/mode.ts';
export { builtInModes, grantsOf, roleOf } from './modes/built-in.ts';
export { chooseByHand, findMode, fullSlug, modeInRole, type ModeChoice } from './modes/choose-mode.ts';
export { readRoomodes, type ModeProblem, type ReadModes } from './modes/read-roomodes.ts';
export { roomodesFormats, writeRoomodes, type RoomodesFormat } from './modes/write-roomodes.ts';
export { Gateway, gatewayPort, type GatewayOptions, type OpenOptions } from './gateway/gateway.ts';
export { attemptName, Ledger } from './gateway/ledger.ts';
export {
  keysOf,
  providersOf,
  readModelsFile,
  type ModelsFile,
  type Provider,
  type ProviderQuota,
} from './gateway/models-file.ts';
export { PriceBook } from './gateway/cost.ts';
export { pricesAsOf, type Price } from './gateway/prices.ts';
export type { Permit, PermitSource, Settlement, Want } from './gateway/permit-source.ts';
export { cliExecutor, type AgentExecutorOptions } from './cli/cli-executor.ts';
export { promptOf } from './prompt.ts';
export { agentSpecs, type AgentSpec } from './registry/agent-spec.ts';
export {
  agentKinds,
  agentNames,
  agentTable,
  findAgent,
  type AgentKind,
  type AgentTable,
} from './registry/agent-table.ts';
export { findProgram, type FoundProgram, type ProgramSearch } from './registry/find-program.ts';
export { agentsByKind, programSearch, readAgents } from './registry/agents-file.ts';
export { knownNames, nameFilesOf, type KnownNames, type NameFiles } from './registry/known-names.ts';
export { agentStates, type AgentState } from './registry/usable-agents.ts';
export { missingProgram } from './registry/prepare-launch.ts';
export { permitWire } from './gateway/permit-wire.ts';
export {
  openBudgetGateway,
  openGateway,
  type BudgetGateway,
  type OpenGateway,
  type OpenGatewayOptions,
} from './gateway/open-gateway.ts';
export { BudgetPermits, type BudgetPermitsOptions } from './gateway/budget-permits.ts';
export { PermitClient, type PermitClientOptions, type PermitWire } from './gateway/permit-client.ts';
export { acpExecutor } from './acp/acp-executor.ts';
export { mcpBridge, type McpBridge } from './mcp/mcp-bridge.ts';
export { readMcpServers, type McpCatalogue } from './mcp/mcp-catalogue.ts';
export type { McpServerSpec } from './mcp/mcp-server-spec.ts';
export {
  mcpServerLaunch,
  mcpServerStates,
  type McpServerLaunch,
  type McpServerState,
} from './mcp/mcp-server-state.ts';
export { McpSession, type McpTool } from './mcp/mcp-session.ts';
export type { McpCaller } from './tools/mcp-caller.ts';
