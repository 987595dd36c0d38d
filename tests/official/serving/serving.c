/* Answers requests with an exported model through TensorFlow's C++ runtime, without Python: as TF Serving does.

   serving MODEL REQUESTS ANSWERS LIBRARY...

   MODEL is EXPORT/NAME/VERSION; REQUESTS and ANSWERS are files as tensor_file.py describes them; each LIBRARY holds
   operations, those of TensorFlow Text. Little-endian machines only. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"

#define MOST_TENSORS 16

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static void expect_ok(TF_Status *status, const char *what) {
  if (TF_GetCode(status) != TF_OK) fail("%s: %s", what, TF_Message(status));
}

static void *allocate(size_t size) {
  void *memory = malloc(size ? size : 1);
  if (!memory) fail("no memory for %zu bytes", size);
  return memory;
}

/* === Protocol buffers: just what is needed of MetaGraphDef === */

typedef struct {
  const uint8_t *at, *end;
} Bytes;

static uint64_t varint(Bytes *bytes) {
  uint64_t value = 0;
  for (int shift = 0; bytes->at < bytes->end && shift < 64; shift += 7) {
    uint8_t byte = *bytes->at++;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return value;
  }
  fail("a broken protocol buffer");
  return 0;
}

/* The next field: its number, or 0 at the end. `value` is what it holds, if that is a string or a message. */
static uint32_t next_field(Bytes *bytes, Bytes *value) {
  if (bytes->at >= bytes->end) return 0;
  uint64_t key = varint(bytes), size = 0;
  switch (key & 7) {
    case 0: varint(bytes); break;
    case 1: size = 8; break;
    case 2: size = varint(bytes); break;
    case 5: size = 4; break;
    default: fail("a broken protocol buffer");
  }
  if (size > (uint64_t)(bytes->end - bytes->at)) fail("a broken protocol buffer");
  value->at = bytes->at;
  value->end = bytes->at += size;
  return (uint32_t)(key >> 3);
}

/* The entry of a map<string, message> in field `number` that has this key. */
static int find_entry(Bytes message, uint32_t number, const char *key, Bytes *found) {
  Bytes entry, part;
  for (uint32_t field; (field = next_field(&message, &entry));) {
    if (field != number) continue;
    int matches = 0;
    for (uint32_t of_entry; (of_entry = next_field(&entry, &part));) {
      size_t size = (size_t)(part.end - part.at);
      if (of_entry == 1) matches = size == strlen(key) && !memcmp(part.at, key, size);
      if (of_entry == 2) *found = part;
    }
    if (matches) return 1;
  }
  return 0;
}

static char *copy_string(Bytes bytes) {
  size_t size = (size_t)(bytes.end - bytes.at);
  char *text = allocate(size + 1);
  memcpy(text, bytes.at, size);
  text[size] = 0;
  return text;
}

/* "operation:2" of a TensorInfo. */
static TF_Output tensor_of(TF_Graph *graph, Bytes info) {
  Bytes value;
  char *name = NULL;
  for (uint32_t field; (field = next_field(&info, &value));)
    if (field == 1) name = copy_string(value);
  char *colon = name ? strrchr(name, ':') : NULL;
  if (!colon) fail("a tensor without a name");
  *colon = 0;
  TF_Output output = {TF_GraphOperationByName(graph, name), atoi(colon + 1)};
  if (!output.oper) fail("%s: no such operation", name);
  free(name);
  return output;
}

/* === Files of tensors === */

static void read_bytes(FILE *file, void *to, size_t size) {
  if (size && fread(to, 1, size, file) != size) fail("the requests end too early");
}

static char *read_string(FILE *file, uint64_t *size) {
  read_bytes(file, size, sizeof *size);
  char *text = allocate(*size + 1);
  read_bytes(file, text, *size);
  text[*size] = 0;
  return text;
}

static TF_Tensor *read_tensor(FILE *file) {
  int32_t kind, rank;
  read_bytes(file, &kind, sizeof kind);
  read_bytes(file, &rank, sizeof rank);
  int64_t sizes[8], count = 1;
  if (rank > 8) fail("a tensor of rank %d", rank);
  read_bytes(file, sizes, sizeof *sizes * (size_t)rank);
  for (int axis = 0; axis < rank; axis++) count *= sizes[axis];
  size_t width = kind == TF_STRING ? sizeof(TF_TString) : TF_DataTypeSize((TF_DataType)kind);
  TF_Tensor *tensor = TF_AllocateTensor((TF_DataType)kind, sizes, rank, width * (size_t)count);
  if (kind != TF_STRING) {
    read_bytes(file, TF_TensorData(tensor), width * (size_t)count);
    return tensor;
  }
  TF_TString *strings = TF_TensorData(tensor);
  for (int64_t i = 0; i < count; i++) {
    uint64_t size;
    char *text = read_string(file, &size);
    TF_StringInit(&strings[i]);
    TF_StringCopy(&strings[i], text, size);
    free(text);
  }
  return tensor;
}

static void write_bytes(FILE *file, const void *from, size_t size) {
  if (size && fwrite(from, 1, size, file) != size) fail("the answers can't be written");
}

static void write_string(FILE *file, const char *text, uint64_t size) {
  write_bytes(file, &size, sizeof size);
  write_bytes(file, text, size);
}

static void write_tensor(FILE *file, TF_Tensor *tensor) {
  int32_t kind = TF_TensorType(tensor), rank = TF_NumDims(tensor);
  write_bytes(file, &kind, sizeof kind);
  write_bytes(file, &rank, sizeof rank);
  for (int axis = 0; axis < rank; axis++) {
    int64_t size = TF_Dim(tensor, axis);
    write_bytes(file, &size, sizeof size);
  }
  if (kind != TF_STRING) {
    write_bytes(file, TF_TensorData(tensor), TF_TensorByteSize(tensor));
    return;
  }
  TF_TString *strings = TF_TensorData(tensor);
  for (int64_t i = 0; i < TF_TensorElementCount(tensor); i++)
    write_string(file, TF_StringGetDataPointer(&strings[i]), TF_StringGetSize(&strings[i]));
}

/* === Asking === */

typedef struct {
  TF_Graph *graph;
  TF_Session *session;
  Bytes meta_graph;
  TF_Status *status;
} Model;

static Model load(const char *path, char **libraries, int count) {
  Model model = {TF_NewGraph(), NULL, {NULL, NULL}, TF_NewStatus()};
  for (int i = 0; i < count; i++) {
    TF_LoadLibrary(libraries[i], model.status);
    expect_ok(model.status, libraries[i]);
  }
  const char *tags[] = {"serve"};
  TF_SessionOptions *options = TF_NewSessionOptions();
  TF_Buffer *buffer = TF_NewBuffer();
  model.session =
      TF_LoadSessionFromSavedModel(options, NULL, path, tags, 1, model.graph, buffer, model.status);
  expect_ok(model.status, path);
  model.meta_graph.at = buffer->data;
  model.meta_graph.end = model.meta_graph.at + buffer->length;
  return model;
}

/* Reads a request and writes its answer: the outputs in the signature's order, or what went wrong. */
static void answer(Model *model, FILE *requests, FILE *answers) {
  uint64_t size;
  uint32_t inputs, outputs = 0;
  char *name = read_string(requests, &size);
  Bytes signature, info, entry;
  if (!find_entry(model->meta_graph, 5, name, &signature)) fail("%s: no such signature", name);
  read_bytes(requests, &inputs, sizeof inputs);
  TF_Output fed[MOST_TENSORS], fetched[MOST_TENSORS];
  TF_Tensor *feeds[MOST_TENSORS], *fetches[MOST_TENSORS] = {NULL};
  char *names[MOST_TENSORS];
  if (inputs > MOST_TENSORS) fail("%s: %u inputs", name, inputs);
  for (uint32_t i = 0; i < inputs; i++) {
    char *input = read_string(requests, &size);
    if (!find_entry(signature, 1, input, &info)) fail("%s: no input %s", name, input);
    fed[i] = tensor_of(model->graph, info);
    feeds[i] = read_tensor(requests);
    free(input);
  }
  Bytes rest = signature;
  for (uint32_t field; (field = next_field(&rest, &entry));) {
    if (field != 2) continue;
    Bytes key;
    if (outputs == MOST_TENSORS || next_field(&entry, &key) != 1 || next_field(&entry, &info) != 2)
      fail("%s: strange outputs", name);
    names[outputs] = copy_string(key);
    fetched[outputs++] = tensor_of(model->graph, info);
  }
  TF_SessionRun(model->session, NULL, fed, feeds, (int)inputs, fetched, fetches, (int)outputs, NULL, 0, NULL,
                model->status);
  int ok = TF_GetCode(model->status) == TF_OK;
  const char *title = ok ? "" : TF_Message(model->status);
  write_string(answers, title, strlen(title));
  uint32_t written = ok ? outputs : 0;
  write_bytes(answers, &written, sizeof written);
  for (uint32_t i = 0; i < outputs; i++) {
    if (ok) {
      write_string(answers, names[i], strlen(names[i]));
      write_tensor(answers, fetches[i]);
      TF_DeleteTensor(fetches[i]);
    }
    free(names[i]);
  }
  for (uint32_t i = 0; i < inputs; i++) TF_DeleteTensor(feeds[i]);
  free(name);
}

/* Of this process alone: what getrusage tells has what its parent had when it started it. */
static long peak_megabytes(void) {
  FILE *status = fopen("/proc/self/status", "r");
  if (!status) fail("%s can't be read", "/proc/self/status");
  char line[256];
  long kilobytes = 0;
  while (fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %ld kB", &kilobytes) == 1) break;
  fclose(status);
  return kilobytes / 1024;
}

int main(int count, char **arguments) {
  if (count < 4) fail("serving MODEL REQUESTS ANSWERS LIBRARY...");
  Model model = load(arguments[1], arguments + 4, count - 4);
  FILE *requests = fopen(arguments[2], "rb"), *answers = fopen(arguments[3], "wb");
  if (!requests || !answers) fail("%s or %s can't be opened", arguments[2], arguments[3]);
  uint32_t number;
  read_bytes(requests, &number, sizeof number);
  write_bytes(answers, &number, sizeof number);
  while (number--) answer(&model, requests, answers);
  if (fclose(answers)) fail("%s can't be written", arguments[3]);
  TF_CloseSession(model.session, model.status);
  expect_ok(model.status, arguments[1]);
  printf("%ld MB\n", peak_megabytes());
  return 0;
}
