import type { z } from 'zod';
import type { mcpServerSpecs } from './mcp-server-spec.ts';

/** The servers that Switchyard knows by itself. */
export const knownMcpServers: z.input<typeof mcpServerSpecs> = {
  playwright: {
    title: 'A browser, for pages that the attempt serves itself',
    install: '@playwright/mcp',
    program: 'playwright-mcp',
    args: ['--headless', '--isolated', '--no-sandbox'],
  },
  github: {
    title: 'GitHub',
    install: '@modelcontextprotocol/server-github',
    program: 'mcp-server-github',
    env: ['GITHUB_PERSONAL_ACCESS_TOKEN'],
    network: ['api.github.com'],
  },
  'brave-search': {
    title: 'Search by Brave',
    install: '@modelcontextprotocol/server-brave-search',
    program: 'mcp-server-brave-search',
    env: ['BRAVE_API_KEY'],
    network: ['api.search.brave.com'],
  },
  supabase: {
    title: 'Supabase',
    install: '@supabase/mcp-server-supabase',
    program: 'mcp-server-supabase',
    env: ['SUPABASE_ACCESS_TOKEN'],
    network: ['api.supabase.com'],
  },
  filesystem: {
    title: 'The files of the attempt, as its sandbox shows them',
    install: '@modelcontextprotocol/server-filesystem',
    program: 'mcp-server-filesystem',
    args: ['{{tree}}'],
  },
};
