import { commandTools } from './command-tool.ts';
import { editTools } from './edit-tools.ts';
import { endingTools } from './ending-tools.ts';
import { outwardTools } from './outward-tools.ts';
import { readTools } from './read-tools.ts';
import type { Tool } from './tool.ts';

/** Every tool there is, in the order in which models are told of them. */
export const toolSet: readonly Tool[] = [
  ...readTools,
  ...editTools,
  ...commandTools,
  ...outwardTools,
  ...endingTools,
];
