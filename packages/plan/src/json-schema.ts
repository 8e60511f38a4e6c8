import { z } from 'zod';
import { taskAliases } from './aliases.ts';
import { planFile, taskOfFile } from './file-schema.ts';

/**
 * JSON Schema (draft 7, which editors read) of the plan file. Made from the zod schema that checks files; aliases of
 * older tools stand in it as deprecated, and either name of a required key will do.
 */
export function planJsonSchema(): Record<string, unknown> {
  const file = z.toJSONSchema(planFile, { target: 'draft-7', io: 'input' }) as JsonObject;
  const task = z.toJSONSchema(taskOfFile, { target: 'draft-7', io: 'input' }) as JsonObject;
  const { $schema, required, ...rest } = task;
  const own = objectOf(rest['properties']);
  const aliases = Object.entries(taskAliases).map(
    ([alias, target]) => [alias, aliasSchema(target, own)] as const,
  );
  const properties = { ...own, ...Object.fromEntries(aliases) };
  const needed = namesOf(required).map((name) => ({
    anyOf: namesFor(name).map((one) => ({ required: [one] })),
  }));
  const items = { ...rest, properties, allOf: needed };
  const tasks = {
    ...objectOf(objectOf(file['properties'])['tasks']),
    items,
  };
  const { required: _tasks, ...whole } = file;
  return {
    $schema,
    title: 'Switchyard plan',
    ...whole,
    // One of the two will do.
    anyOf: [{ required: ['tasks'] }, { required: ['pipelines'] }],
    properties: {
      ...objectOf(file['properties']),
      pipelines: pipelinesSchema(objectOf(objectOf(file['properties'])['pipelines']), items),
      tasks,
    },
  };
}

/** Steps have the aliases of tasks too. */
function pipelinesSchema(pipelines: JsonObject, task: JsonObject): JsonObject {
  const pipeline = objectOf(pipelines['items']);
  const properties = objectOf(pipeline['properties']);
  const steps = { ...objectOf(properties['steps']), items: task };
  return { ...pipelines, items: { ...pipeline, properties: { ...properties, steps } } };
}

type JsonObject = Record<string, unknown>;

function aliasSchema(target: readonly [string] | readonly [string, string], own: JsonObject): JsonObject {
  const [key, inner] = target;
  const note = { deprecated: true, description: `Alias of ${target.join('.')}.` };
  if (inner === undefined) return { ...objectOf(own[key]), ...note };
  if (inner === 'mode') return { type: 'boolean', ...note };
  const forms = [own[key], ...namesOrForms(objectOf(own[key])['anyOf'])].map(objectOf);
  const found = forms.map((form) => objectOf(form['properties'])[inner]).find((form) => form !== undefined);
  return { ...objectOf(found), ...note };
}

function namesFor(name: string): string[] {
  const aliases = Object.entries(taskAliases).filter(
    ([, target]) => target.length === 1 && target[0] === name,
  );
  return [name, ...aliases.map(([alias]) => alias)];
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function namesOrForms(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
