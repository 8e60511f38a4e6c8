export { parsePlan, type ParseOptions, type ParseResult } from './parse-plan.ts';
export { analyzePlan, type PlanAnalysis } from './analyze.ts';
export { checkAddedTasks } from './added-tasks.ts';
export { toDot, toMermaid, type DrawnStates } from './draw.ts';
export { planJsonSchema } from './json-schema.ts';
export { formatProblem } from './problem.ts';
