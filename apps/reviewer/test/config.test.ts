import { specializations } from '@switchyard/protocol';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

describe('the configuration', () => {
  it('reviews for everything unless told otherwise', () => {
    expect(readConfig([], {}).specializations).toEqual([...specializations]);
    const asked = readConfig(['--specializations', 'security, style,security', '--slots', '3'], {});
    expect(asked).toMatchObject({ specializations: ['security', 'style'], slots: 3 });
  });

  it('says which specializations there are', () => {
    const wrong = () => readConfig(['--specializations', 'beauty'], {});
    expect(wrong).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    expect(wrong).toThrow(/--specializations: .*security/);
  });

  it('takes the token from the environment only', () => {
    const config = readConfig([], { SWITCHYARD_TOKEN: 't', SWITCHYARD_STATE: '/all' });
    expect([config.token, config.state]).toEqual(['t', undefined]);
    expect(() => readConfig(['--token', 'x'], {})).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  });
});
