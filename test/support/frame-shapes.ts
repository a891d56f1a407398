import ts from 'typescript'

/**
 * What frames look like, in one form for TypeScript and JSON Schema: a member is `name` or `name?`, and a
 * value is a word, a list of one shape, or an object of members.
 */
export type Shape = string | [Shape] | { [member: string]: Shape }

interface Schema {
  $ref?: string
  type?: string
  const?: unknown
  enum?: unknown[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  oneOf?: Schema[]
}

const WORDS: Readonly<Record<string, string>> = { integer: 'number' }

const literals = (values: readonly unknown[]): string =>
  values
    .map((value) => JSON.stringify(value))
    .sort()
    .join(' | ')

/** The frames of one `oneOf` of the schema, by their type. */
export function shapesOfSchema(root: { $defs: Record<string, Schema> }, name: string) {
  const follow = (schema: Schema): Schema => {
    const target = schema.$ref?.split('/').at(-1)?.replaceAll('~1', '/')
    return target === undefined ? schema : follow(root.$defs[target] ?? {})
  }
  const shapeOf = (given: Schema | true): Shape => {
    if (given === true) return 'unknown'
    const schema = follow(given)
    if (schema.const !== undefined) return literals([schema.const])
    if (schema.enum) return literals(schema.enum)
    if (schema.type === 'array') return [shapeOf(schema.items ?? {})]
    if (schema.type !== 'object') return WORDS[schema.type ?? ''] ?? schema.type ?? 'unknown'
    if (!schema.properties) return 'object'
    const members = Object.entries(schema.properties).map(([member, value]) => {
      const isRequired = schema.required?.includes(member) === true
      return [isRequired ? member : `${member}?`, shapeOf(value)] as const
    })
    return Object.fromEntries(members)
  }
  return byType((root.$defs[name]?.oneOf ?? []).map(shapeOf))
}

/** The frames of an exported union type of a file, by their type. */
export function shapesOfType(file: string, name: string) {
  const program = ts.createProgram([file], {
    strict: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    // Without the types of every package there is, which would take seconds.
    types: [],
    lib: ['lib.es2022.d.ts'],
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const symbol = source && checker.getSymbolAtLocation(source)
  const exported = symbol && checker.getExportsOfModule(symbol).find((each) => each.name === name)
  if (!exported) throw new Error(`${file} exports no ${name}`)
  const union = checker.getDeclaredTypeOfSymbol(exported)

  const shapeOf = (given: ts.Type): Shape => {
    const all = given.isUnion() ? given.types : [given]
    const types = all.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined))
    const [type] = types
    if (types.length === 2 && types.every(isBoolean)) return 'boolean'
    if (type === undefined) throw new Error(`${name} has a member that is never there`)
    if (types.every((each) => each.isLiteral() || isTrue(each))) {
      return literals(types.map((each) => (each.isLiteral() ? each.value : true)))
    }
    if (types.length > 1) throw new Error(`no shape for ${checker.typeToString(given)}`)
    if (type.flags & ts.TypeFlags.Unknown) return 'unknown'
    if (!(type.flags & ts.TypeFlags.Object)) return checker.typeToString(type)
    const item = checker.isArrayType(type) ? checker.getTypeArguments(type as ts.TypeReference) : []
    if (item[0]) return [shapeOf(item[0])]
    if (checker.getIndexInfosOfType(type).length > 0) return 'object'
    return Object.fromEntries(
      checker.getPropertiesOfType(type).map((property) => {
        const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0
        const member = isOptional ? `${property.name}?` : property.name
        return [member, shapeOf(checker.getTypeOfSymbol(property))]
      }),
    )
  }
  const isBoolean = ({ flags }: ts.Type): boolean => (flags & ts.TypeFlags.BooleanLiteral) !== 0
  const isTrue = (type: ts.Type): boolean => checker.typeToString(type) === 'true'
  return byType(union.isUnion() ? union.types.map(shapeOf) : [])
}

function byType(shapes: readonly Shape[]): Record<string, Shape> {
  return Object.fromEntries(
    shapes.map((shape) => {
      const type = typeof shape === 'object' && !Array.isArray(shape) ? shape['type'] : undefined
      if (typeof type !== 'string') throw new Error('a frame has a type')
      return [type, shape]
    }),
  )
}
