import { z } from 'zod';
import type { OfferedTool } from './script.ts';

export type RequestForm = 'anthropic' | 'chat' | 'responses' | 'gemini';

/** What matters of a request, in one view of the four forms. */
export interface RequestView {
  readonly tools: readonly OfferedTool[];
  /** Tool calls that the history holds. */
  readonly calls: number;
  /** What the model has said so far. */
  readonly texts: readonly string[];
}

/** By the end of the path. */
export function formOf(path: string): RequestForm | undefined {
  if (path.endsWith('/messages')) return 'anthropic';
  if (path.endsWith('/chat/completions')) return 'chat';
  if (path.endsWith('/responses')) return 'responses';
  return /:(?:stream)?generateContent$/i.test(path) ? 'gemini' : undefined;
}

const text = z.union([
  z.string(),
  z
    .array(z.looseObject({ text: z.string().optional() }))
    .transform((parts) => parts.map((part) => part.text ?? '').join('')),
]);
const schema = z
  .looseObject({
    properties: z
      .record(z.string(), z.looseObject({ enum: z.array(z.unknown()).optional() }).catch({}))
      .default({}),
    required: z.array(z.string()).default([]),
  })
  .catch({ properties: {}, required: [] });
const part = z.looseObject({ type: z.string().optional(), text: z.string().optional() });

function tool(name: string | undefined, parameters: unknown, freeform = false): OfferedTool {
  const { properties, required } = schema.parse(parameters ?? {});
  return { name: name ?? '', properties, required, freeform };
}

const anthropicBody = z.looseObject({
  tools: z.array(z.looseObject({ name: z.string(), input_schema: z.unknown().optional() })).default([]),
  messages: z
    .array(z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(part)]) }))
    .default([]),
});

function viewAnthropic(body: unknown): RequestView {
  const { tools, messages } = anthropicBody.parse(body);
  const said = messages
    .filter(({ role }) => role === 'assistant')
    .flatMap(({ content }) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content));
  return {
    tools: tools.map((each) => tool(each.name, each.input_schema)),
    calls: said.filter(({ type }) => type === 'tool_use').length,
    texts: said.flatMap((each) => (each.type === 'text' ? [each.text ?? ''] : [])),
  };
}

const chatBody = z.looseObject({
  tools: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        function: z.looseObject({ name: z.string(), parameters: z.unknown().optional() }).optional(),
      }),
    )
    .default([]),
  messages: z
    .array(
      z.looseObject({
        role: z.string(),
        content: text.nullish(),
        tool_calls: z.array(z.unknown()).nullish(),
      }),
    )
    .default([]),
});

function viewChat(body: unknown): RequestView {
  const { tools, messages } = chatBody.parse(body);
  const said = messages.filter(({ role }) => role === 'assistant');
  return {
    tools: tools.map((each) => tool(each.function?.name ?? each.name, each.function?.parameters)),
    calls: said.reduce((sum, each) => sum + (each.tool_calls?.length ?? 0), 0),
    texts: said.map(({ content }) => content ?? ''),
  };
}

const responsesTool = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  parameters: z.unknown().optional(),
});
const responsesBody = z.looseObject({
  tools: z.array(responsesTool.extend({ tools: z.array(responsesTool).default([]) })).default([]),
  input: z
    .union([
      z.string().transform(() => []),
      z.array(
        z.looseObject({
          type: z.string().optional(),
          role: z.string().optional(),
          content: z.unknown().optional(),
        }),
      ),
    ])
    .default([]),
});

function viewResponses(body: unknown): RequestView {
  const { tools, input } = responsesBody.parse(body);
  return {
    tools: tools.flatMap((each) =>
      each.type === 'namespace'
        ? each.tools.map((inner) => ({
            ...tool(`${each.name ?? ''}__${inner.name ?? ''}`, inner.parameters),
            namespace: each.name ?? '',
          }))
        : [tool(each.name ?? each.type, each.parameters, each.type === 'custom')],
    ),
    calls: input.filter(({ type = '' }) => /^(?:function_call|custom_tool_call|local_shell_call)$/.test(type))
      .length,
    texts: input
      .filter(({ role }) => role === 'assistant')
      .map(({ content }) => text.catch('').parse(content)),
  };
}

const geminiBody = z.looseObject({
  tools: z
    .array(
      z.looseObject({
        functionDeclarations: z
          .array(
            z.looseObject({
              name: z.string(),
              parametersJsonSchema: z.unknown().optional(),
              parameters: z.unknown().optional(),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
  contents: z
    .array(
      z.looseObject({
        role: z.string().optional(),
        parts: z
          .array(z.looseObject({ text: z.string().optional(), functionCall: z.unknown().optional() }))
          .default([]),
      }),
    )
    .default([]),
});

function viewGemini(body: unknown): RequestView {
  const { tools, contents } = geminiBody.parse(body);
  const parts = contents.filter(({ role }) => role === 'model').flatMap((each) => each.parts);
  return {
    tools: tools
      .flatMap(({ functionDeclarations }) => functionDeclarations)
      .map((each) => tool(each.name, each.parametersJsonSchema ?? each.parameters)),
    calls: parts.filter(({ functionCall }) => functionCall !== undefined).length,
    texts: parts.flatMap((each) => (each.text === undefined ? [] : [each.text])),
  };
}

const views: Readonly<Record<RequestForm, (body: unknown) => RequestView>> = {
  anthropic: viewAnthropic,
  chat: viewChat,
  responses: viewResponses,
  gemini: viewGemini,
};

export function viewOf(form: RequestForm, body: unknown): RequestView {
  return views[form](body);
}

/** Where agents say in their requests that they work; `/` where they say nothing. */
export function workingDirectoryIn(body: string): string {
  const found =
    /(?:working directory|current directory|current folder|<cwd>|cwd)(?: is)?[^/\n\\]{0,20}(\/[^\s<>"'`\\,]+)/i.exec(
      body,
    );
  return found?.[1]?.replace(/[.:)]+$/, '') ?? '/';
}
