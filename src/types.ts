/** The one interface that types a socket: rooms, messages, sends and requests. */

/** What goes into a room and what comes out of it. */
export interface RoomShape {
  send: unknown
  message: unknown
}

export interface RequestShape {
  request: unknown
  response: unknown
}

/** What a socket is without types of its own: everything may be sent, and nothing is known of what comes. */
export interface Untyped {
  rooms: { [room: string]: RoomShape }
  message: unknown
  send: unknown
  requests: { [type: string]: RequestShape }
}

/**
 * The constraint of the type parameter. It maps over the parameter itself, so that an `interface` fits as
 * well as a `type`; a member that is not of the scheme is an error where it stands.
 */
export type Shape<Self> = {
  [Key in keyof Self]: Key extends 'rooms'
    ? { [Room in keyof Self[Key]]: RoomShape }
    : Key extends 'requests'
      ? { [Type in keyof Self[Key]]: RequestShape }
      : Key extends 'message' | 'send'
        ? unknown
        : never
}

/** By index, not by inference: an index signature has no property of any one name. */
type Of<Schema, Key extends PropertyKey> = Key extends keyof Schema ? Schema[Key] : never

/** Not `keyof never`, which is every key there is. */
type KeyOf<Part> = [Part] extends [never] ? never : keyof Part & string

export type RoomName<Schema> = KeyOf<Of<Schema, 'rooms'>>
export type RoomSend<Schema, Name extends string> = Of<Of<Of<Schema, 'rooms'>, Name>, 'send'>
export type RoomMessage<Schema, Name extends string> = Of<Of<Of<Schema, 'rooms'>, Name>, 'message'>
export type SocketSend<Schema> = Of<Schema, 'send'>
export type SocketMessage<Schema> = Of<Schema, 'message'>
export type RequestName<Schema> = KeyOf<Of<Schema, 'requests'>>
export type RequestOf<Schema, Name extends string> = Of<Of<Of<Schema, 'requests'>, Name>, 'request'>
export type ResponseOf<Schema, Name extends string> = Of<
  Of<Of<Schema, 'requests'>, Name>,
  'response'
>
