import fc from 'fast-check';
import { z } from 'zod';
import { registry, type MessageType } from '@switchyard/protocol';

interface Schema {
  readonly type?: string;
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** Payloads of a message type, made from its schema. */
export function arbitraryPayload(type: MessageType): fc.Arbitrary<unknown> {
  const schema = z.toJSONSchema(registry[type].payload, { unrepresentable: 'any', reused: 'inline' });
  return arbitraryOf(schema as Schema);
}

function arbitraryOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map(arbitraryOf));
  switch (schema.type) {
    case 'object':
      return arbitraryObject(schema);
    case 'array':
      return fc.array(arbitraryOf(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(3 + (schema.minItems ?? 0), schema.maxItems ?? 3),
      });
    case 'string':
      if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
      return fc.string({
        unit: 'grapheme',
        minLength: schema.minLength ?? 0,
        maxLength: Math.min(20, Math.floor((schema.maxLength ?? 20) / 2)),
      });
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? -1e9, -1e9),
        max: Math.min(schema.maximum ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      });
    case 'number':
      // JSON has no -0.
      return fc
        .double({ noNaN: true, min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6 })
        .map((value) => value + 0);
    case 'boolean':
      return fc.boolean();
    default:
      // z.unknown()
      return fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  }
}

function arbitraryObject(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.properties === undefined) {
    const values =
      typeof schema.additionalProperties === 'object'
        ? arbitraryOf(schema.additionalProperties)
        : fc.string();
    const keys = arbitraryOf(schema.propertyNames ?? { type: 'string' }) as fc.Arbitrary<string>;
    return fc.dictionary(keys, values, { maxKeys: 4 });
  }
  const required = schema.required ?? [];
  return fc.record(
    Object.fromEntries(Object.entries(schema.properties).map(([key, value]) => [key, arbitraryOf(value)])),
    { requiredKeys: [...required] },
  );
}
