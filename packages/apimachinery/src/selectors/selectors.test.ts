import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FieldSelector, escapeFieldValue, parseFieldSelector } from './field-selector.js';
import { LabelSelector, labelSelectorFromObject, labelSelectorFromSet, parseLabelSelector } from './label-selector.js';
import { labelRequirement, SelectorError, type LabelRequirement } from './requirement.js';

const word = fc.constantFrom('a', 'b', 'c', 'in', 'notin', 'x-1', 'example.com/k');
const value = fc.constantFrom('', '1', '2', '10', 'x', 'in', 'notin');
const values = fc.uniqueArray(value, { minLength: 1, maxLength: 3 }).map((v) => v.sort());
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.tuple(word, fc.constantFrom('in' as const, 'notin' as const), values).map(([k, o, v]) => labelRequirement(k, o, v)),
  fc.tuple(word, fc.constantFrom('=' as const, '==' as const, '!=' as const), value).map(([k, o, v]) => labelRequirement(k, o, [v])),
  fc.tuple(word, fc.constantFrom('gt' as const, 'lt' as const), fc.constantFrom('1', '5')).map(([k, o, v]) => labelRequirement(k, o, [v])),
  fc.tuple(word, fc.constantFrom('exists' as const, '!' as const)).map(([k, o]) => labelRequirement(k, o, [])),
);
const labels = fc.dictionary(word, fc.oneof(value, fc.constant('-3')), { maxKeys: 4 });

describe('label selectors', () => {
  it.each([
    ['a=b,c!=d,e in (x,y),f,!g, h>1', 'a=b,c!=d,e in (x,y),f,!g,h>1'],
    ['x in (foo,,baz),y,z notin ()', 'x in (,baz,foo),y,z notin ()'],
    ['in in (in, notin)', 'in in (in,notin)'],
    ['a==b', 'a==b'],
    ['b , a', 'a,b'],
    ['a=', 'a='],
    ['', ''],
  ])('parses %j', (text, printed) => {
    expect(parseLabelSelector(text).toString()).toBe(printed);
  });

  const NAME_RULE =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  it.each([
    ['a in x', "unable to parse requirement: found 'x' expected: '('"],
    ['a in (x', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a,', "found '', expected: identifier after ','"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a>x', "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"],
    ['-a=b', `unable to parse requirement: <nil>: Invalid value: "-a": ${NAME_RULE}`],
  ])('refuses %j', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(new SelectorError(message));
  });

  it('prints what it parses to the same', () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 4 }), labels, (requirements, set) => {
        const selector = new LabelSelector(requirements);
        const again = parseLabelSelector(selector.toString());
        expect(again.toString()).toBe(selector.toString());
        expect(again.matches(set)).toBe(selector.matches(set));
      }),
    );
  });

  it('is a conjunction; opposite operators exclude each other', () => {
    fc.assert(
      fc.property(requirement, requirement, labels, (a, b, set) => {
        const [x, y] = [new LabelSelector([a]), new LabelSelector([b])];
        expect(x.and(b).matches(set)).toBe(x.matches(set) && y.matches(set));
        const opposite = { in: 'notin', notin: 'in', '=': '!=', '!=': '=', '==': '!=', exists: '!', '!': 'exists' }[a.operator as 'in'] as 'in' | undefined;
        const other = opposite ? new LabelSelector([{ ...a, operator: opposite }]).matches(set) : !x.matches(set);
        expect(other).toBe(!x.matches(set));
      }),
    );
  });

  it('does not take inherited properties for labels', () => {
    expect(parseLabelSelector('constructor').matches({})).toBe(false);
    expect(parseLabelSelector('!toString').matches({})).toBe(true);
  });

  it('comes from API objects: absent selects nothing, empty everything', () => {
    expect(labelSelectorFromObject(undefined).matches({})).toBe(false);
    expect(labelSelectorFromObject({}).matches(undefined)).toBe(true);
    const object = {
      matchLabels: { app: 'x' },
      matchExpressions: [
        { key: 'tier', operator: 'NotIn', values: ['db', 'cache'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    };
    expect(labelSelectorFromObject(object).toString()).toBe('app=x,!old,tier notin (cache,db)');
    expect(labelSelectorFromSet({ b: '1', a: '2' }).toString()).toBe('a=2,b=1');
    expect(() => labelSelectorFromObject({ matchExpressions: [{ key: 'a', operator: 'Near' }] })).toThrow('"Near" is not a valid label selector operator');
    expect(() => labelSelectorFromObject({ matchExpressions: [{ key: 'a', operator: 'In' }] })).toThrow(
      "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
    );
  });
});

describe('field selectors', () => {
  it('parses, prints and matches', () => {
    const selector = parseFieldSelector('status.phase!=Running,metadata.name==web');
    expect(selector.toString()).toBe('metadata.name=web,status.phase!=Running');
    const get = (fields: Record<string, string>) => (f: string) => fields[f] ?? '';
    expect([
      selector.matches(get({ 'metadata.name': 'web', 'status.phase': 'Failed' })),
      selector.matches(get({ 'metadata.name': 'web', 'status.phase': 'Running' })),
    ]).toEqual([true, false]);
    expect(selector.exactValue('metadata.name')).toBe('web');
  });

  it('carries any value through escaping', () => {
    fc.assert(
      fc.property(fc.string(), (v) => {
        expect(parseFieldSelector(`f=${escapeFieldValue(v)}`).requirements).toEqual([{ field: 'f', operator: '=', value: v }]);
        expect(new FieldSelector([{ field: 'f', operator: '!=', value: v }]).toString()).toBe(`f!=${escapeFieldValue(v)}`);
      }),
    );
  });

  it('compiles against the fields a resource supports', () => {
    const getters = (f: string) => (f === 'a' ? (o: { a: string }) => o.a : undefined);
    expect(parseFieldSelector('a=1').compile(getters)?.({ a: '1' })).toBe(true);
    expect(parseFieldSelector('').compile(getters)).toBeUndefined();
    expect(() => parseFieldSelector('b=1').compile(getters)).toThrow('field label not supported: b');
  });

  it.each([
    ['foo', "invalid selector: 'foo'; can't understand 'foo'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=b\\x', 'invalid field selector: invalid escape sequence: \\x'],
  ])('refuses %j', (text, message) => {
    expect(() => parseFieldSelector(text)).toThrow(new SelectorError(message));
  });
});
