import type { z } from 'zod';
import type * as core from 'zod/v4/core';

/**
 * True: the schema takes the value, and would answer one that equals it. False: nothing is known, ask the schema.
 * Values are what msgpack or JSON decode to, or plain literals; no getters.
 */
export type QuickCheck = (value: unknown) => boolean;

/**
 * Derives a quick check from a schema, which stays the one description: it answers for what is right as it stands, in
 * a tenth of the schema's time, and leaves what is wrong, has to be filled in or to be stripped, and kinds of schema
 * that are not below, to the schema itself.
 */
export function quickCheckOf(schema: z.ZodType): QuickCheck {
  return checkOf(schema as core.$ZodType as core.$ZodTypes);
}

const never: QuickCheck = () => false;

function checkOf(schema: core.$ZodTypes): QuickCheck {
  const { def } = schema._zod;
  const narrow = narrowingOf(def.checks ?? []);
  if (narrow === undefined) return never;
  return bothChecks(kindOf(schema), narrow);
}

/** One function without a closure of its own for each call: checks are on the path of every message. */
function bothChecks(kind: QuickCheck, [first, second, ...more]: readonly QuickCheck[]): QuickCheck {
  if (first === undefined) return kind;
  if (second === undefined) return (value) => kind(value) && first(value);
  if (more.length > 0) return bothChecks(bothChecks(kind, [first, second]), more);
  return (value) => kind(value) && first(value) && second(value);
}

function kindOf(schema: core.$ZodTypes): QuickCheck {
  const { def } = schema._zod;
  switch (def.type) {
    case 'string':
      return (value) => typeof value === 'string';
    case 'number':
      return (value) => Number.isFinite(value);
    case 'boolean':
      return (value) => value === true || value === false;
    case 'unknown':
      return () => true;
    case 'literal':
    case 'enum': {
      const { values } = schema._zod;
      return values === undefined ? never : (value) => (values as ReadonlySet<unknown>).has(value);
    }
    case 'optional': {
      const inner = childOf(def.innerType);
      const mayMiss = mayBeMissing(schema);
      return (value) => (value === undefined ? mayMiss : inner(value));
    }
    case 'default': {
      const inner = childOf(def.innerType);
      return (value) => value !== undefined && inner(value);
    }
    case 'nullable': {
      const inner = childOf(def.innerType);
      return (value) => value === null || inner(value);
    }
    case 'array': {
      const element = childOf(def.element);
      return (value) => Array.isArray(value) && isEvery(value, element);
    }
    case 'object':
      return objectCheck(def);
    case 'record':
      return recordCheck(def);
    case 'union':
      return unionCheck(def);
    case 'custom': {
      const { fn } = def as core.$ZodCustomDef;
      return (value) => (fn as (value: unknown) => unknown)(value) === true;
    }
    default:
      return never;
  }
}

function childOf(schema: core.SomeType): QuickCheck {
  return checkOf(schema as core.$ZodTypes);
}

/** Unlike `Array.every`, which passes over what is missing. */
function isEvery(values: readonly unknown[], check: QuickCheck): boolean {
  for (const value of values) if (!check(value)) return false;
  return true;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Optional, and stays missing: an optional default is filled in. */
function mayBeMissing({ _zod: { def } }: core.$ZodTypes): boolean {
  return def.type === 'optional' && def.innerType._zod.optin !== 'defaulted';
}

/** Only keys of the shape, for others would be stripped, and all that may not be missing. */
function objectCheck({ shape }: core.$ZodObjectDef): QuickCheck {
  const entries = Object.entries(shape);
  const checks = new Map(entries.map(([key, schema]) => [key, childOf(schema)]));
  const required = entries
    .filter(([, schema]) => !mayBeMissing(schema as core.$ZodTypes))
    .map(([key]) => key);
  return (value) => {
    if (!isPlain(value)) return false;
    for (const key in value) {
      const check = checks.get(key);
      if (check === undefined || !check(value[key])) return false;
    }
    for (const key of required) if (!Object.hasOwn(value, key)) return false;
    return true;
  };
}

/** Free keys, or some of a list; zod drops `__proto__`. */
function recordCheck(def: core.$ZodRecordDef): QuickCheck {
  const { keyType, valueType } = def;
  const { type } = keyType._zod.def;
  const isPartial = 'partial' in def && def.partial === true;
  if (type !== 'string' && !(type === 'enum' && isPartial)) return never;
  const isKey = childOf(keyType as core.SomeType);
  const check = childOf(valueType);
  return (value) => {
    if (!isPlain(value)) return false;
    for (const key in value) if (key === '__proto__' || !isKey(key) || !check(value[key])) return false;
    return true;
  };
}

/**
 * The schema answers with the first option that takes the value, maybe stripped, so that a later one that takes it
 * whole does not count: only options that exclude each other are looked at.
 */
function unionCheck(def: core.$ZodUnionDef): QuickCheck {
  const options = def.options as readonly core.$ZodTypes[];
  const checks = options.map(checkOf);
  const { discriminator } = def as Partial<core.$ZodDiscriminatedUnionDef>;
  if (discriminator === undefined) {
    const shapes = options.map(({ _zod }) => shapeOf(_zod.def.type));
    if (shapes.includes(undefined) || new Set(shapes).size < shapes.length) return never;
    return (value) => checks.some((check) => check(value));
  }
  const byTag = new Map<unknown, QuickCheck>();
  options.forEach(({ _zod }, place) => {
    for (const tag of _zod.propValues?.[discriminator] ?? []) byTag.set(tag, checks[place] ?? never);
  });
  return (value) => isPlain(value) && (byTag.get(value[discriminator]) ?? never)(value);
}

/** Of schemas with different answers, none takes what the other does. */
function shapeOf(type: core.$ZodTypes['_zod']['def']['type']): string | undefined {
  const shapes: Partial<Record<typeof type, string>> = {
    string: 'string',
    enum: 'string',
    number: 'number',
    boolean: 'boolean',
    array: 'array',
    object: 'object',
    record: 'object',
  };
  return shapes[type];
}

/** What `.min(…)`, `.regex(…)` and their like ask beyond the kind; undefined: something that is not known here. */
function narrowingOf(checks: readonly core.$ZodCheck[]): readonly QuickCheck[] | undefined {
  const known = checks.map((check) => narrowOf((check as core.$ZodChecks)._zod.def));
  return known.every((check) => check !== undefined) ? known : undefined;
}

function narrowOf(def: core.$ZodChecks['_zod']['def']): QuickCheck | undefined {
  switch (def.check) {
    case 'min_length':
      return (value) => (value as ArrayLike<unknown>).length >= def.minimum;
    case 'max_length':
      return (value) => (value as ArrayLike<unknown>).length <= def.maximum;
    case 'greater_than': {
      const least = Number(def.value);
      return def.inclusive ? (value) => Number(value) >= least : (value) => Number(value) > least;
    }
    case 'less_than': {
      const most = Number(def.value);
      return def.inclusive ? (value) => Number(value) <= most : (value) => Number(value) < most;
    }
    case 'number_format':
      return def.format === 'safeint' ? (value) => Number.isSafeInteger(value) : undefined;
    case 'string_format': {
      const { format, pattern } = def;
      if (format !== 'regex' || pattern === undefined || pattern.global || pattern.sticky) return undefined;
      return (value) => pattern.test(value as string);
    }
    default:
      return undefined;
  }
}
