const exact =
  /\b(toBe|toEqual|toStrictEqual|toHaveBeenCalledWith|toHaveBeenNthCalledWith|toHaveBeenCalledTimes|toMatchInlineSnapshot|toThrow(Error)?\(.+\)|equal|strictEqual|deepEqual|deepStrictEqual|is|same)\b/;
const some =
  /\b(toMatchObject|toContain|toContainEqual|toMatch|toHaveLength|toHaveProperty|toBeCloseTo|toBeGreaterThan\w*|toBeLessThan\w*|toBeInstanceOf|toMatchSnapshot|match|includes?|throws|rejects|toThrow(Error)?)\b/;
const anything = /\bexpect\.(anything|any)\(/;

/** How much an assertion claims: 3 an exact value, 2 something of it, 1 hardly more than that it is there. */
export function claimRank(claim: string): 1 | 2 | 3 {
  if (anything.test(claim) || /\.not\b/.test(claim)) return 1;
  if (exact.test(claim)) return 3;
  return some.test(claim) ? 2 : 1;
}
