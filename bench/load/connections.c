/* The sockets and the one loop: how they open and end, and what wakes them. traffic.c has the bytes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"
#include "websocket.h"

enum {
    EVENTS = 256,
    OPENING_AT_ONCE = 64, /* below every server's backlog of connections */
};

static struct connection *connections;
static int epoll = -1, timer = -1;
static int64_t timer_is_set_for, next_tick;
static uint32_t ready_count, opening_count;

struct client *client_at(uint32_t number) { return &connections[number].client; }
const struct opening *opening_of(uint32_t number) { return &connections[number].opening; }
bool connection_is_open(uint32_t number) { return connections[number].phase == OPEN; }
uint32_t connections_ready(void) { return ready_count; }

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

void end(struct connection *connection, int code) {
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

void fail(struct connection *connection, const char *reason) {
    client_failed(&connection->client, reason);
    end(connection, ABNORMAL);
}

void client_failed(struct client *client, const char *reason) {
    if (!counts.failed++) fprintf(stderr, "socket %u: %s\n", client->number, reason);
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
    connection->opening.ready = clock_of_event();
    ready_count++;
    opening_count--;
}

void client_opened(struct client *client) {
    struct opening *opening = &((struct connection *)client)->opening;
    if (!opening->opened) opening->opened = clock_of_event();
}

void client_loaded(struct client *client, uint32_t cells) {
    struct opening *opening = &((struct connection *)client)->opening;
    if (client->is_ready) return;
    if (cells && !opening->first) opening->first = clock_of_event();
    opening->last = clock_of_event();
    opening->cells += cells;
}

void connections_allocate(void) {
    connections = must(calloc(options.sockets, sizeof *connections));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);
    traffic_allocate(epoll);
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
    fprintf(stderr, "only %u of %u sockets got ready in %.1f s", ready_count, options.sockets, (double)(clock_now() - began) / 1e9);
    for (int at = 0; at < MAX_CLOSE_CODES && counts.close_counts[at]; at++)
        fprintf(stderr, "; %llu closed with %d", (unsigned long long)counts.close_counts[at], counts.close_codes[at]);
    fprintf(stderr, "\n");
    return false;
}

void connections_quieten(double seconds) {
    int64_t quiet = 200000000, began = clock_now(), deadline = began + (int64_t)(seconds * 1e9);
    for (;;) {
        int64_t last = time_of_last_message() > began ? time_of_last_message() : began;
        int64_t until = last + quiet < deadline ? last + quiet : deadline;
        if (clock_now() >= until) return;
        loop_turn(until);
    }
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
