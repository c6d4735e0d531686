/* The sockets and the one loop: opening them, bytes in and out, frames to messages, closes. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "websocket.h"

enum {
    RECEIVE_BYTES = 256 * 1024,
    SMALL_REST_BYTES = 64 * 1024,      /* a longer beginning of a frame is received where it lies, not moved about */
    MAX_MESSAGE_BYTES = 64 * 1024 * 1024 + 1024,
    EVENTS = 256,
    OPENING_AT_ONCE = 64,              /* below every server's backlog of connections */
    NO_STATUS = 1005, ABNORMAL = 1006, /* RFC 6455, 7.4.1: a close without a code; an end without a close */
};

struct bytes {
    uint8_t *data;
    size_t length, capacity;
};

enum phase { UNOPENED, CONNECTING, SHAKING_HANDS, OPEN, CLOSED };

struct connection {
    struct client client; /* first: a client's address is its connection's */
    int descriptor;
    enum phase phase;
    bool is_dirty, waits_for_room;
    struct bytes out;     /* framed, not yet written */
    size_t out_written;
    struct bytes rest;    /* the beginning of a frame whose end is still to come */
    size_t rest_lacks;    /* how much is still to come, as far as is known */
    struct bytes message; /* the joined fragments of a message */
    enum opcode message_opcode;
    struct opening opening;
};

static struct connection *connections;
static int epoll = -1, timer = -1;
static int64_t timer_is_set_for, event_time, last_message_at, next_tick;
static uint32_t ready_count, opening_count;
static struct connection **dirty;
static uint32_t dirty_count;
static uint8_t *received; /* the rest of before, then what was received now */

struct client *client_at(uint32_t number) { return &connections[number].client; }
const struct opening *opening_of(uint32_t number) { return &connections[number].opening; }
bool connection_is_open(uint32_t number) { return connections[number].phase == OPEN; }
uint32_t connections_ready(void) { return ready_count; }
int64_t clock_of_event(void) { return event_time; }

static void *must(void *memory) {
    if (memory) return memory;
    fprintf(stderr, "out of memory\n");
    exit(2);
}

static uint8_t *make_room(struct bytes *bytes, size_t more) {
    if (bytes->length + more > bytes->capacity) {
        size_t capacity = bytes->capacity * 2 > 4096 ? bytes->capacity * 2 : 4096;
        bytes->capacity = capacity > bytes->length + more ? capacity : bytes->length + more;
        bytes->data = must(realloc(bytes->data, bytes->capacity));
    }
    return bytes->data + bytes->length;
}

static void discard(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* -- ends ------------------------------------------------------------------------------------------------------- */

static void count_close(int code) {
    counts.closed++;
    for (int at = 0; at < MAX_CLOSE_CODES; at++) {
        if (counts.close_counts[at] && counts.close_codes[at] != code) continue;
        counts.close_codes[at] = code;
        counts.close_counts[at]++;
        return;
    }
}

static void end(struct connection *connection, int code) {
    if (connection->phase == CLOSED || connection->phase == UNOPENED) return;
    if (!is_finishing) count_close(code);
    if (connection->phase != OPEN || !connection->client.is_ready) opening_count--;
    if (connection->client.is_ready) ready_count--;
    connection->client.is_ready = false;
    connection->phase = CLOSED;
    close(connection->descriptor);
    discard(&connection->out);
    discard(&connection->rest);
    discard(&connection->message);
    connection->out_written = 0;
}

static void fail(struct connection *connection, const char *reason) {
    client_failed(&connection->client, reason);
    end(connection, ABNORMAL);
}

void client_failed(struct client *client, const char *reason) {
    if (!counts.failed++) fprintf(stderr, "socket %u: %s\n", client->number, reason);
}

/* -- writing ---------------------------------------------------------------------------------------------------- */

static void watch_for_room(struct connection *connection, bool is_wanted) {
    if (connection->waits_for_room == is_wanted) return;
    connection->waits_for_room = is_wanted;
    struct epoll_event event = {.events = EPOLLIN | (is_wanted ? EPOLLOUT : 0u), .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->descriptor, &event);
}

static void flush(struct connection *connection) {
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

static void flush_all(void) {
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

static void receive(struct connection *connection) {
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

/* -- opening ---------------------------------------------------------------------------------------------------- */

static void write_path(const struct client *client, char path[PATH_CAPACITY]) {
    const char *mark = strstr(options.path, "{sheet}");
    if (mark)
        snprintf(path, PATH_CAPACITY, "%.*s%u%s", (int)(mark - options.path), options.path, client->sheet, mark + 7);
    else
        snprintf(path, PATH_CAPACITY, "%s", options.path);
}

static int server_socket(int flags) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (descriptor < 0) {
        perror("socket");
        exit(2);
    }
    int one = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return descriptor;
}

static int connect_to_server(int descriptor) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    inet_pton(AF_INET, strcmp(options.host, "localhost") ? options.host : "127.0.0.1", &address.sin_addr);
    return connect(descriptor, (struct sockaddr *)&address, sizeof address);
}

void connection_start(uint32_t number) {
    struct connection *connection = &connections[number];
    char path[PATH_CAPACITY];
    char request[PATH_CAPACITY + 1024];
    write_path(&connection->client, path);
    memset(connection->client.state, 0, options.protocol->state_size);
    connection->client.is_ready = false;
    connection->waits_for_room = true;
    connection->phase = CONNECTING;
    connection->opening = (struct opening){.began = clock_now()};
    connection->descriptor = server_socket(SOCK_NONBLOCK);
    opening_count++;
    if (options.protocol->prepare && !options.protocol->prepare(&connection->client, path)) {
        fail(connection, "prepare() says that it cannot be opened");
        return;
    }
    size_t length = write_handshake(request, sizeof request, options.host, options.port, path, options.protocol->subprotocol);
    memcpy(make_room(&connection->out, length), request, length);
    connection->out.length = length;
    if (connect_to_server(connection->descriptor) < 0 && errno != EINPROGRESS) {
        fail(connection, strerror(errno));
        return;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection->descriptor, &event);
}

static void finish_connecting(struct connection *connection) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
        fail(connection, strerror(error));
        return;
    }
    connection->phase = SHAKING_HANDS;
    connection->opening.connected = clock_now();
    flush(connection);
}

void client_ready(struct client *client) {
    struct connection *connection = (struct connection *)client;
    if (client->is_ready || connection->phase != OPEN) return;
    client->is_ready = true;
    connection->opening.ready = event_time;
    ready_count++;
    opening_count--;
}

void client_opened(struct client *client) {
    struct opening *opening = &((struct connection *)client)->opening;
    if (!opening->opened) opening->opened = event_time;
}

void client_loaded(struct client *client, uint32_t cells) {
    struct opening *opening = &((struct connection *)client)->opening;
    if (client->is_ready) return;
    if (cells && !opening->first) opening->first = event_time;
    opening->last = event_time;
    opening->cells += cells;
}

void connections_allocate(void) {
    connections = must(calloc(options.sockets, sizeof *connections));
    dirty = must(calloc(options.sockets, sizeof *dirty));
    received = must(malloc(SMALL_REST_BYTES + RECEIVE_BYTES));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
    size_t size = options.protocol->state_size ? options.protocol->state_size : 1;
    uint32_t per_sheet = options.sockets / options.sheets, editors_per_sheet = options.editors / options.sheets;
    for (uint32_t number = 0; number < options.sockets; number++) {
        struct client *client = &connections[number].client;
        client->number = number;
        client->sheet = number / per_sheet;
        client->place = number % per_sheet;
        client->is_editor = client->place < editors_per_sheet;
        client->state = must(calloc(1, size));
    }
}

bool connections_open(void) {
    int64_t began = clock_now(), deadline = began + (int64_t)(options.open_timeout_seconds * 1e9);
    uint32_t started = 0;
    while (clock_now() < deadline && (started < options.sockets || opening_count)) {
        int64_t next = deadline;
        while (started < options.sockets) {
            if (options.connect_rate > 0) {
                next = began + (int64_t)(started * 1e9 / options.connect_rate);
                if (clock_now() < next) break;
            } else if (opening_count >= OPENING_AT_ONCE) {
                break;
            }
            connection_start(started++);
        }
        loop_turn(started < options.sockets && next < deadline ? next : deadline);
    }
    if (ready_count == options.sockets) return true;
    fprintf(stderr, "only %u of %u sockets got ready within %.0f s", ready_count, options.sockets, options.open_timeout_seconds);
    for (int at = 0; at < MAX_CLOSE_CODES && counts.close_counts[at]; at++)
        fprintf(stderr, "; %llu closed with %d", (unsigned long long)counts.close_counts[at], counts.close_codes[at]);
    fprintf(stderr, "\n");
    return false;
}

void connections_quieten(double seconds) {
    int64_t quiet = 200000000, deadline = clock_now() + (int64_t)(seconds * 1e9);
    last_message_at = clock_now();
    while (clock_now() < deadline && clock_now() < last_message_at + quiet)
        loop_turn(last_message_at + quiet < deadline ? last_message_at + quiet : deadline);
}

void connection_end(uint32_t number) {
    static const uint8_t normal[2] = {1000 >> 8, 1000 & 0xff};
    client_send(client_at(number), OPCODE_CLOSE, normal, sizeof normal);
    if (connections[number].phase == CONNECTING || connections[number].phase == SHAKING_HANDS) end(&connections[number], ABNORMAL);
}

void connections_close(void) {
    is_finishing = true;
    int64_t deadline = clock_now() + 2000000000;
    for (uint32_t number = 0; number < options.sockets; number++) connection_end(number);
    for (uint32_t number = 0; number < options.sockets; number++)
        while (connections[number].phase == OPEN && clock_now() < deadline) loop_turn(deadline);
    for (uint32_t number = 0; number < options.sockets; number++) end(&connections[number], ABNORMAL);
}

/* -- the loop --------------------------------------------------------------------------------------------------- */

static void tick(void) {
    int64_t now = clock_now();
    if (!options.protocol->tick || now < next_tick) return;
    next_tick = now + 1000000000;
    for (uint32_t number = 0; number < options.sockets; number++)
        if (connections[number].phase == OPEN) options.protocol->tick(&connections[number].client);
}

static void set_timer(int64_t until) {
    if (timer_is_set_for == until) return;
    struct itimerspec when = {.it_value = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    timer_is_set_for = until;
}

void loop_turn(int64_t until) {
    struct epoll_event events[EVENTS];
    tick();
    flush_all();
    if (options.protocol->tick && next_tick < until) until = next_tick;
    bool may_wait = until > clock_now();
    if (may_wait) set_timer(until);
    int count = epoll_wait(epoll, events, EVENTS, may_wait ? -1 : 0);
    for (int at = 0; at < count; at++) {
        struct connection *connection = events[at].data.ptr;
        if (!connection) {
            uint64_t expirations;
            if (read(timer, &expirations, sizeof expirations) > 0) timer_is_set_for = 0;
            continue;
        }
        if (connection->phase == CONNECTING && events[at].events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
            finish_connecting(connection);
        else if (connection->phase != CLOSED && events[at].events & EPOLLOUT)
            flush(connection);
        if ((connection->phase == OPEN || connection->phase == SHAKING_HANDS) && events[at].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
            receive(connection);
    }
    flush_all();
}
