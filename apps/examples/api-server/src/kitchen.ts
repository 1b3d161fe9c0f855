// A custom API: kitchen.example.com/v1alpha1. Recipes are kept in the server's own store, stoves by code.
import type { KubeObject } from '@coxswain/api';
import { type ApiServerDefinition, defineApiKind, defineApiServer } from '@coxswain/sdk';
import type { Stoves } from './stoves.js';

interface Recipe extends KubeObject {
  spec: { servings: number; ingredients: string[]; difficulty?: 'easy' | 'hard' };
  status?: { cooked?: number };
}

export interface Stove extends KubeObject {
  spec: { plates: number; on?: boolean };
}

const recipe = defineApiKind<Recipe>({
  kind: 'Recipe',
  plural: 'recipes',
  shortNames: ['rcp'],
  categories: ['kitchen'],
  scope: 'Namespaced',
  status: true,
  schema: {
    type: 'object',
    required: ['spec'],
    properties: {
      spec: {
        type: 'object',
        required: ['servings'],
        properties: {
          servings: { type: 'integer', minimum: 1 },
          ingredients: { type: 'array', items: { type: 'string' }, maxItems: 100 },
          difficulty: { type: 'string', enum: ['easy', 'hard'], default: 'easy' },
        },
        'x-kubernetes-validations': [{ rule: "self.difficulty != 'hard' || self.servings <= 4", message: 'a hard recipe serves 4 at most' }],
      },
      status: { type: 'object', properties: { cooked: { type: 'integer' } } },
    },
  },
  columns: [
    { name: 'Servings', type: 'integer', jsonPath: '.spec.servings' },
    { name: 'Ingredients', type: 'string', cell: ({ spec }) => (spec.ingredients ?? []).join(', ') },
    { name: 'Difficulty', type: 'string', jsonPath: '.spec.difficulty', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  selectableFields: ['.spec.difficulty'],
  actions: [
    {
      name: 'shoppinglist',
      methods: ['GET'],
      kind: 'ShoppingList',
      handle: ({ object, query }) => ({
        apiVersion: object.apiVersion,
        kind: 'ShoppingList',
        items: object.spec.ingredients ?? [],
        times: Number(query.get('guests') ?? object.spec.servings) / object.spec.servings,
      }),
    },
  ],
});

const stove = (stoves: Stoves) =>
  defineApiKind<Stove>({
    kind: 'Stove',
    plural: 'stoves',
    scope: 'Cluster',
    schema: {
      type: 'object',
      required: ['spec'],
      properties: {
        spec: { type: 'object', required: ['plates'], properties: { plates: { type: 'integer', minimum: 1, maximum: 8 }, on: { type: 'boolean' } } },
      },
    },
    columns: [
      { name: 'Plates', type: 'integer', jsonPath: '.spec.plates' },
      { name: 'On', type: 'boolean', cell: ({ spec }) => spec.on === true },
    ],
    validate: ({ spec }, old) =>
      old?.spec.on === true && spec.plates !== old.spec.plates
        ? [{ type: 'FieldValueForbidden', field: 'spec.plates', message: 'Forbidden: may not change while the stove is on' }]
        : [],
    handlers: stoves,
  });

/** The API as a value; `stoves` keeps the stoves. */
export const kitchen = (stoves: Stoves): ApiServerDefinition =>
  defineApiServer({ name: 'kitchen', group: 'kitchen.example.com', version: 'v1alpha1', kinds: [recipe, stove(stoves)] });
