/** The MCP servers of the task, already started. */
export interface McpCaller {
  /** The servers and what their tools take, for the model. */
  readonly servers: readonly {
    readonly name: string;
    readonly tools: readonly { readonly name: string; readonly description: string }[];
  }[];
  /** Rejects with AppError; the text is what the tool answered. */
  callTool(
    server: string,
    tool: string,
    input: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<string>;
}
