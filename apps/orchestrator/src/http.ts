import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { RunId } from '@switchyard/protocol';
import type { Metrics } from '@switchyard/runtime';
import { summaryOf, viewOf } from '@switchyard/scheduler';
import { bearerToken } from '@switchyard/transport';
import { Hono } from 'hono';
import type { Orchestrator } from './daemon.ts';
import { addGateAnswers } from './gate-answers.ts';

interface HttpOptions {
  readonly daemon: () => Orchestrator;
  readonly metrics: Metrics;
  readonly version: string;
  /** Whether a bearer token may read. */
  readonly mayRead: (token: string | undefined) => boolean;
  /** Whether it may change something: answer what waits for a person. */
  readonly mayAnswer: (token: string | undefined) => boolean;
  readonly git: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Everything of the one port but the hub: `/git`, `/api`, `/healthz`, `/readyz`, `/metrics`. */
export function createHttp(options: HttpOptions): RequestListener {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get('/healthz', (c) => c.json({ status: 'ok', version: options.version }));
  app.get('/readyz', (c) => c.json({ status: 'ready', ...options.daemon().health() }));
  app.use('/metrics', async (c, next) =>
    options.mayRead(bearerToken(c.env.incoming)) ? next() : c.text('a token is needed\n', 401),
  );
  app.use('/api/*', async (c, next) =>
    options[c.req.method === 'GET' ? 'mayRead' : 'mayAnswer'](bearerToken(c.env.incoming))
      ? next()
      : c.json({ error: 'a token is needed' }, 401),
  );
  app.get('/metrics', async (c) => {
    const text = await options.metrics.registry.metrics();
    return c.text(text, 200, { 'content-type': options.metrics.registry.contentType });
  });
  app.get('/api/runs', (c) =>
    c.json([...options.daemon().loop.keepers.values()].map((keeper) => summaryOf(keeper.state))),
  );
  app.get('/api/runs/:run', (c) => {
    const keeper = options.daemon().loop.keepers.get(c.req.param('run') as RunId);
    return keeper === undefined ? c.json({ error: 'no such run' }, 404) : c.json(viewOf(keeper.state));
  });
  addGateAnswers(app, options.daemon);
  app.get('/', (c) =>
    c.text('Switchyard orchestrator. The hub is at /hub, runs at /api/runs, figures at /metrics.\n'),
  );
  // Load balancers ask for health in HTTP/1.0, which names no host.
  const listener = getRequestListener(app.fetch, { hostname: 'localhost' });
  return (request, response) => {
    if (request.url?.startsWith('/git/') === true) options.git(request, response);
    else void listener(request, response);
  };
}
