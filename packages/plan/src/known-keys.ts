import { z } from 'zod';
import { taskAliases } from './aliases.ts';
import { planFile } from './file-schema.ts';

/** The keys that a map at this path of the file may have, none where no map may stand; and the older names of tasks. */
export function knownKeysAt(path: readonly PropertyKey[]): { keys: string[]; aliases: string[] } {
  const shapes = formsAt(path).flatMap((form) =>
    form instanceof z.ZodObject ? Object.keys(form.shape) : [],
  );
  const isTask =
    (path.length === 2 && path[0] === 'tasks') ||
    (path.length === 4 && path[0] === 'pipelines' && path[2] === 'steps');
  return { keys: [...new Set(shapes)], aliases: isTask ? Object.keys(taskAliases) : [] };
}

function formsAt(path: readonly PropertyKey[]): z.core.$ZodType[] {
  let forms = unfold(planFile);
  for (const step of path) forms = forms.flatMap((form) => inside(form, step)).flatMap(unfold);
  return forms;
}

function inside(form: z.core.$ZodType, step: PropertyKey): z.core.$ZodType[] {
  if (form instanceof z.ZodArray) return [form.element];
  const found = form instanceof z.ZodObject ? (form.shape as z.core.$ZodShape)[String(step)] : undefined;
  return found === undefined ? [] : [found];
}

function unfold(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return unfold(schema.unwrap());
  return schema instanceof z.ZodUnion ? schema.options.flatMap(unfold) : [schema];
}
