/* Bytes out and in: what is to be sent is framed and gathered, what is received is cut into frames and messages. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clock.h"
#include "connection.h"
#include "websocket.h"

enum {
    RECEIVE_BYTES = 256 * 1024,
    SMALL_REST_BYTES = 64 * 1024, /* a longer beginning of a frame is received where it lies, not moved about */
    MAX_MESSAGE_BYTES = 64 * 1024 * 1024 + 1024,
    NO_STATUS = 1005, /* RFC 6455, 7.4.1: a close without a code */
};

static int epoll = -1;
static struct connection **dirty; /* with something to write */
static uint32_t dirty_count;
static uint8_t *received; /* the rest of before, then what was received now */
static int64_t event_time, last_message_at;

int64_t clock_of_event(void) { return event_time; }
int64_t time_of_last_message(void) { return last_message_at; }

void traffic_allocate(int descriptor) {
    epoll = descriptor;
    dirty = must(calloc(options.sockets, sizeof *dirty));
    received = must(malloc(SMALL_REST_BYTES + RECEIVE_BYTES));
}

void *must(void *memory) {
    if (memory) return memory;
    fprintf(stderr, "out of memory\n");
    exit(2);
}

uint8_t *make_room(struct bytes *bytes, size_t more) {
    if (bytes->length + more > bytes->capacity) {
        size_t capacity = bytes->capacity * 2 > 4096 ? bytes->capacity * 2 : 4096;
        bytes->capacity = capacity > bytes->length + more ? capacity : bytes->length + more;
        bytes->data = must(realloc(bytes->data, bytes->capacity));
    }
    return bytes->data + bytes->length;
}

void discard(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* -- writing ---------------------------------------------------------------------------------------------------- */

static void watch_for_room(struct connection *connection, bool is_wanted) {
    if (connection->waits_for_room == is_wanted) return;
    connection->waits_for_room = is_wanted;
    struct epoll_event event = {.events = EPOLLIN | (is_wanted ? EPOLLOUT : 0u), .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->descriptor, &event);
}

void flush(struct connection *connection) {
    while (connection->out_written < connection->out.length) {
        ssize_t written = send(connection->descriptor, connection->out.data + connection->out_written,
                               connection->out.length - connection->out_written, MSG_NOSIGNAL);
        if (written < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN)
                watch_for_room(connection, true);
            else
                end(connection, ABNORMAL);
            return;
        }
        connection->out_written += (size_t)written;
    }
    connection->out.length = connection->out_written = 0;
    if (connection->out.capacity > 1024 * 1024) discard(&connection->out);
    watch_for_room(connection, false);
}

void flush_all(void) {
    for (uint32_t at = 0; at < dirty_count; at++) {
        dirty[at]->is_dirty = false;
        if (dirty[at]->phase != CLOSED && !dirty[at]->waits_for_room) flush(dirty[at]);
    }
    dirty_count = 0;
}

static void mark_dirty(struct connection *connection) {
    if (connection->is_dirty) return;
    connection->is_dirty = true;
    dirty[dirty_count++] = connection;
}

void client_send(struct client *client, enum opcode opcode, const void *bytes, size_t length) {
    struct connection *connection = (struct connection *)client;
    if (connection->phase != OPEN) return;
    uint8_t *to = make_room(&connection->out, length + MAX_HEADER_BYTES);
    size_t framed = write_frame(to, opcode, bytes, length, (uint32_t)random_bits());
    connection->out.length += framed;
    counts.bytes_out += framed;
    mark_dirty(connection);
}

/* -- reading ---------------------------------------------------------------------------------------------------- */

static void take_close(struct connection *connection, const uint8_t *payload, size_t length) {
    int code = length >= 2 ? payload[0] << 8 | payload[1] : NO_STATUS;
    if (!is_finishing) client_send(&connection->client, OPCODE_CLOSE, payload, length >= 2 ? 2 : 0);
    flush(connection);
    end(connection, code);
}

static void take_message(struct connection *connection, const uint8_t *payload, size_t length, enum opcode opcode) {
    counts.frames++;
    connection->opening.frames++;
    last_message_at = event_time;
    options.protocol->on_message(&connection->client, payload, length, opcode);
}

static void take_frame(struct connection *connection, const struct frame_header *header, const uint8_t *payload) {
    size_t length = (size_t)header->payload_length;
    struct bytes *message = &connection->message;
    switch (header->opcode) {
    case OPCODE_PING:
        client_send(&connection->client, OPCODE_PONG, payload, length);
        return;
    case OPCODE_PONG:
        return;
    case OPCODE_CLOSE:
        take_close(connection, payload, length);
        return;
    case OPCODE_TEXT:
    case OPCODE_BINARY:
        if (header->is_final) {
            take_message(connection, payload, length, header->opcode);
            return;
        }
        connection->message_opcode = header->opcode;
        break;
    case OPCODE_CONTINUATION:
        break;
    default:
        fail(connection, "a frame of an unknown kind");
        return;
    }
    if (message->length + length > MAX_MESSAGE_BYTES) {
        fail(connection, "a message of more than 64 MB");
        return;
    }
    memcpy(make_room(message, length), payload, length);
    message->length += length;
    if (!header->is_final) return;
    take_message(connection, message->data, message->length, connection->message_opcode);
    message->length = 0;
    if (message->capacity > 1024 * 1024) discard(message);
}

/* Take all whole frames; return how many bytes they were. `missing` is what the next one lacks, 1 if unknown. */
static size_t take_frames(struct connection *connection, const uint8_t *bytes, size_t length, size_t *missing) {
    size_t done = 0;
    struct frame_header header;
    *missing = 1;
    while (connection->phase == OPEN && read_frame_header(bytes + done, length - done, &header)) {
        if (header.is_compressed_or_masked || header.payload_length > MAX_MESSAGE_BYTES) {
            fail(connection, "a frame that is compressed, masked, or longer than 64 MB");
            break;
        }
        size_t whole = header.header_length + (size_t)header.payload_length;
        if (whole > length - done) {
            *missing = whole - (length - done);
            break;
        }
        take_frame(connection, &header, bytes + done + header.header_length);
        done += whole;
    }
    return done;
}

static void take_handshake(struct connection *connection, int64_t head, int status) {
    if (head < 0) {
        char reason[80];
        snprintf(reason, sizeof reason, "the handshake was answered with %d", status);
        fail(connection, reason);
        return;
    }
    connection->phase = OPEN;
    connection->opening.asked = clock_now();
    connection->opening.bytes = connection->opening.frames = 0;
    if (options.protocol->open) options.protocol->open(&connection->client);
}

void receive(struct connection *connection) {
    struct bytes *rest = &connection->rest;
    bool is_in_place = rest->length > SMALL_REST_BYTES;
    uint8_t *bytes = received;
    size_t room = RECEIVE_BYTES;
    if (is_in_place) {
        bytes = rest->data;
        room = connection->rest_lacks; /* no byte of the next frame */
    } else if (rest->length) {
        memcpy(received, rest->data, rest->length);
    }
    ssize_t count = recv(connection->descriptor, bytes + rest->length, room, 0);
    if (count <= 0) {
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
        end(connection, ABNORMAL);
        return;
    }
    event_time = clock_now();
    counts.bytes_in += (uint64_t)count;
    connection->opening.bytes += (uint64_t)count;
    size_t length = rest->length + (size_t)count, done = 0, missing = 1;
    if (connection->phase == SHAKING_HANDS) {
        int status;
        int64_t head = read_handshake((const char *)bytes, length, &status);
        if (head) take_handshake(connection, head, status);
        if (head > 0) {
            done = (size_t)head;
            connection->opening.bytes = length - done;
        }
    }
    if (connection->phase == OPEN) done += take_frames(connection, bytes + done, length - done, &missing);
    if (connection->phase == CLOSED) return;
    connection->rest_lacks = missing;
    if (is_in_place) { /* the one long frame, whole or still not */
        rest->length = done ? 0 : length;
        if (done && rest->capacity > 1024 * 1024) discard(rest);
        return;
    }
    size_t left = length - done;
    rest->length = 0;
    if (left) {
        memcpy(make_room(rest, left + missing), bytes + done, left);
        rest->length = left;
    }
}
