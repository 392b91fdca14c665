/*
 * A Vulkan driver that is Mesa's lavapipe except for two numbers: it reports SwiftShader's vendor ID and device ID.
 *
 * Without a GPU, Chromium accepts only its SwiftShader as a WebGPU adapter, and recognises it by these two numbers (the lambda
 * CanUseAdapter of WebGPUDecoderImpl::CreatePreferredAdapter, gpu/command_buffer/service/webgpu_decoder_impl.cc). Every call
 * but the two that return the device's properties goes to lavapipe, so lavapipe computes every value; the device's name is
 * also unchanged. Dawn recognises SwiftShader by the same numbers, so any special handling of SwiftShader applies here too.
 * scripts/chromium-lavapipe.mjs compiles this with LAVAPIPE_DRIVER, the library that lavapipe's description names.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef void (*Function)(void);

/* The beginning of VkPhysicalDeviceProperties, as in vulkan.h, which need not be installed. */
typedef struct {
  uint32_t apiVersion;
  uint32_t driverVersion;
  uint32_t vendorID;
  uint32_t deviceID;
} Properties;

/* The beginning of VkPhysicalDeviceProperties2. */
typedef struct {
  uint32_t sType;
  void *pNext;
  Properties properties;
} Properties2;

static Function driverFunction(const char *name) {
  /* dlopen counts its calls: the second call returns the handle of the first. */
  void *driver = dlopen(LAVAPIPE_DRIVER, RTLD_NOW | RTLD_LOCAL);
  Function function = driver == NULL ? NULL : (Function)dlsym(driver, name);
  if (function == NULL) fprintf(stderr, "lavapipe: %s\n", dlerror());
  return function;
}

static Function instanceFunction(void *instance, const char *name) {
  Function (*get)(void *, const char *) = (Function(*)(void *, const char *))driverFunction("vk_icdGetInstanceProcAddr");
  return get == NULL ? NULL : get(instance, name);
}

/* In a driver, a function is the same for every instance. */
static void (*lavapipeProperties)(void *device, Properties *properties);
static void (*lavapipeProperties2)(void *device, Properties2 *properties);

static void nameSwiftShader(Properties *properties) {
  properties->vendorID = 0x1AE0;
  properties->deviceID = 0xC0DE;
}

static void getProperties(void *device, Properties *properties) {
  lavapipeProperties(device, properties);
  nameSwiftShader(properties);
}

static void getProperties2(void *device, Properties2 *properties) {
  lavapipeProperties2(device, properties);
  nameSwiftShader(&properties->properties);
}

/* Used by Vulkan's loader, which ANGLE uses. */
Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  if (strcmp(name, "vkGetInstanceProcAddr") == 0) return (Function)vk_icdGetInstanceProcAddr;
  Function function = instanceFunction(instance, name);
  if (function == NULL) return NULL;
  if (strcmp(name, "vkGetPhysicalDeviceProperties") == 0) {
    lavapipeProperties = (void (*)(void *, Properties *))function;
    return (Function)getProperties;
  }
  if (strcmp(name, "vkGetPhysicalDeviceProperties2") == 0 || strcmp(name, "vkGetPhysicalDeviceProperties2KHR") == 0) {
    lavapipeProperties2 = (void (*)(void *, Properties2 *))function;
    return (Function)getProperties2;
  }
  return function;
}

/* Used by Dawn, which opens the driver without a loader. */
Function vkGetInstanceProcAddr(void *instance, const char *name) { return vk_icdGetInstanceProcAddr(instance, name); }

int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  int32_t (*negotiate)(uint32_t *) = (int32_t(*)(uint32_t *))driverFunction("vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate == NULL ? -9 /* VK_ERROR_INCOMPATIBLE_DRIVER */ : negotiate(version);
}
