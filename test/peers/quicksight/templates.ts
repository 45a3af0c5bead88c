/** CloudFormation's templates, resolved as a deployment would: parameters filled in, conditions decided. */
import { type CollectionTag, parse, type ScalarTag } from 'yaml';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: JsonObject;
}

export interface Deployment {
  readonly account: string;
  readonly region: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What `!GetAtt` and `!Ref` of a resource give, where it is not this deployment's made-up text. */
  readonly attribute?: (logicalId: string, attribute: string) => string | undefined;
}

/** The template's resources that the deployment would make, in the file's order. */
export function resources(text: string, deployment: Deployment): Resource[] {
  const template = objectOf(parse(text, { customTags: [...scalarTags, ...collectionTags] }));
  const resolve = resolver(template, deployment);
  return Object.entries(objectOf(template.Resources ?? {})).flatMap(([logicalId, resource]) => {
    const { Type, Condition, Properties } = objectOf(resource);
    if (Condition !== undefined && resolve({ 'Fn::Condition': Condition }) !== true) return [];
    return [{ logicalId, type: String(Type), properties: objectOf(resolve(Properties ?? {}) ?? {}) }];
  });
}

/** Sub, If and the others in their long form, whatever they are written on. */
const names = ['Ref', 'Sub', 'GetAtt', 'If', 'Equals', 'Not', 'Select', 'Split', 'FindInMap'];
const longForm = (name: string): string => (name === 'Ref' ? name : `Fn::${name}`);
const scalarTags: readonly ScalarTag[] = names.map((name) => ({
  tag: `!${name}`,
  resolve: (text) => ({ [longForm(name)]: name === 'GetAtt' ? text.split('.') : text }),
}));
const collectionTags: readonly CollectionTag[] = names.map((name) => ({
  tag: `!${name}`,
  collection: 'seq',
  resolve: (sequence) => ({ [longForm(name)]: sequence.toJSON() }),
}));

/** Undefined: what `AWS::NoValue` leaves out. */
type Resolve = (value: Json) => Json | undefined;

function resolver(template: JsonObject, deployment: Deployment): Resolve {
  const parameters = objectOf(template.Parameters ?? {});
  const conditions = objectOf(template.Conditions ?? {});
  const reference = (name: string): Json | undefined => {
    if (name === 'AWS::NoValue') return undefined;
    if (name === 'AWS::AccountId') return deployment.account;
    if (name === 'AWS::Region') return deployment.region;
    if (name === 'AWS::Partition') return 'aws';
    if (name === 'AWS::URLSuffix') return 'amazonaws.com';
    const parameter = parameters[name];
    if (parameter === undefined) return attribute(name, 'Ref');
    const given = deployment.parameters[name] ?? objectOf(parameter).Default;
    if (given === undefined) throw new Error(`the parameter ${name} is not given`);
    return given;
  };
  const attribute = (logicalId: string, name: string): string => {
    if (objectOf(template.Resources ?? {})[logicalId] === undefined) {
      throw new Error(`there is no parameter or resource ${logicalId}`);
    }
    return deployment.attribute?.(logicalId, name) ?? `${logicalId}.${name}`;
  };
  const substitute = (text: string, own: JsonObject = {}): string =>
    text.replaceAll(/\$\{([^!}][^}]*)\}/g, (_, name: string) => {
      const [logicalId = '', ...rest] = name.split('.');
      if (rest.length > 0) return attribute(logicalId, rest.join('.'));
      return String(name in own ? resolve(own[name] ?? null) : reference(name));
    });
  const call = (name: string, argument: Json): Json | undefined => {
    if (name === 'Ref') return reference(String(argument));
    if (name === 'Fn::GetAtt') {
      const [logicalId, ...rest] = listOf(argument).map(String);
      return attribute(logicalId ?? '', rest.join('.'));
    }
    if (name === 'Fn::Condition') return resolve(conditions[String(argument)] ?? null);
    if (name === 'Fn::Sub') {
      if (typeof argument === 'string') return substitute(argument);
      const [text, own] = listOf(argument);
      return substitute(String(text), objectOf(own ?? {}));
    }
    if (name === 'Fn::If') {
      const [condition, whenTrue, whenFalse] = listOf(argument);
      const branch = resolve({ 'Fn::Condition': condition ?? null }) === true ? whenTrue : whenFalse;
      return resolve(branch ?? null);
    }
    const values = listOf(argument).map((value) => resolve(value) ?? null);
    if (name === 'Fn::Equals') return values[0] === values[1];
    if (name === 'Fn::Not') return values[0] !== true;
    if (name === 'Fn::Split') return String(values[1]).split(String(values[0]));
    if (name === 'Fn::Select') return listOf(values[1] ?? null)[Number(values[0])];
    if (name === 'Fn::FindInMap') {
      const [map, first, second] = values.map(String);
      const found = objectOf(objectOf(objectOf(template.Mappings)[map ?? ''])[first ?? ''])[second ?? ''];
      if (found === undefined) throw new Error(`there is no ${map}.${first}.${second}`);
      return found;
    }
    throw new Error(`${name} is not known here`);
  };
  const resolve: Resolve = (value) => {
    if (Array.isArray(value)) {
      return value.map(resolve).filter((item) => item !== undefined);
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (only !== undefined && entries.length === 1 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      return call(only[0], only[1]);
    }
    return Object.fromEntries(
      entries.flatMap(([name, inner]) => {
        const resolved = resolve(inner);
        return resolved === undefined ? [] : [[name, resolved]];
      }),
    );
  };
  return resolve;
}

/** @throws Error where the value is none */
export function objectOf(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`not an object: ${JSON.stringify(value)}`);
  }
  // Safe: it comes out of a YAML document, which holds nothing but JSON's types.
  return value as JsonObject;
}

/** @throws Error where the value is none */
export function listOf(value: unknown): readonly Json[] {
  if (!Array.isArray(value)) throw new Error(`not a list: ${JSON.stringify(value)}`);
  return value;
}
