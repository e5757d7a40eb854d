// Names for errors.

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "machine.h"

namespace pyconv::emulation {
namespace {

std::string demangled(const char* symbol) {
    int status = 0;
    char* const name = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
    const std::string text = status == 0 ? name : symbol;
    std::free(name);
    return text;
}

// "void pyconv::f<3>(float*, long)" -> "f<3>"
std::string without_types(std::string name) {
    const std::string anonymous = "(anonymous namespace)::";
    for (size_t at; (at = name.find(anonymous)) != std::string::npos;)
        name.erase(at, anonymous.size());
    size_t begin = 0, end = name.size();
    int depth = 0;
    for (size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        if (c == '(' && depth == 0) {
            end = i;
            break;
        }
        depth += c == '<' || c == '(';
        depth -= c == '>' || c == ')';
        if (depth == 0 && (c == ' ' || (c == ':' && i && name[i - 1] == ':'))) begin = i + 1;
    }
    return name.substr(begin, end - begin);
}

// The function around `offset` in an ELF file: its table of symbols has those too that are not
// exported.
std::string symbol_at(const char* path, uintptr_t offset) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < sizeof(ElfW(Ehdr))) return "";
    const auto* const header = reinterpret_cast<const ElfW(Ehdr)*>(bytes.data());
    const auto* const sections = reinterpret_cast<const ElfW(Shdr)*>(&bytes[header->e_shoff]);
    for (int i = 0; i < header->e_shnum; ++i) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        const char* const names = &bytes[sections[sections[i].sh_link].sh_offset];
        const auto* const symbols =
            reinterpret_cast<const ElfW(Sym)*>(&bytes[sections[i].sh_offset]);
        for (size_t j = 0; j < sections[i].sh_size / sizeof(ElfW(Sym)); ++j)
            if (ELF64_ST_TYPE(symbols[j].st_info) == STT_FUNC && offset >= symbols[j].st_value &&
                offset - symbols[j].st_value < symbols[j].st_size)
                return names + symbols[j].st_name;
    }
    return "";
}

}  // namespace

std::string function_name(const void* address) {
    Dl_info info;
    void* map = nullptr;
    if (!dladdr1(address, &info, &map, RTLD_DL_LINKMAP)) return "?";
    const uintptr_t base = static_cast<link_map*>(map)->l_addr;
    const std::string symbol =
        symbol_at(info.dli_fname, reinterpret_cast<uintptr_t>(address) - base);
    return symbol.empty() ? "?" : without_types(demangled(symbol.c_str()));
}

namespace {

// The module that this is in.
struct Module {
    std::string path;
    uintptr_t begin = 0, end = 0;
};

const Module& own_module() {
    static const Module* const own = [] {
        auto* const module = new Module;
        dl_iterate_phdr(
            [](dl_phdr_info* info, size_t, void* data) {
                Module found{info->dlpi_name, UINTPTR_MAX, 0};
                for (int i = 0; i < info->dlpi_phnum; ++i) {
                    const auto& segment = info->dlpi_phdr[i];
                    if (segment.p_type != PT_LOAD) continue;
                    found.begin =
                        std::min<uintptr_t>(found.begin, info->dlpi_addr + segment.p_vaddr);
                    found.end = std::max<uintptr_t>(
                        found.end, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
                }
                const auto here = reinterpret_cast<uintptr_t>(&own_module);
                if (here < found.begin || here >= found.end) return 0;
                char executable[512] = "";
                if (found.path.empty() &&
                    readlink("/proc/self/exe", executable, sizeof(executable) - 1) > 0)
                    found.path = executable;
                *static_cast<Module*>(data) = found;
                return 1;
            },
            module);
        return module;
    }();
    return *own;
}

}  // namespace

bool is_own(const void* address) {
    const auto at = reinterpret_cast<uintptr_t>(address);
    return is_stack(address) || (at >= own_module().begin && at < own_module().end);
}

uintptr_t module_begin() { return own_module().begin; }

std::string code_place(const void* code) {
    // The address is the one to return to: the call is before it.
    char command[512];
    std::snprintf(command, sizeof(command), "addr2line -s -i -e '%s' 0x%zx 2>/dev/null",
                  own_module().path.c_str(),
                  reinterpret_cast<uintptr_t>(code) - own_module().begin - 1);
    FILE* const pipe = popen(command, "r");
    if (!pipe) return "";
    // From the innermost of the functions that were inlined: the first that is not one of CUDA's.
    char line[256];
    std::string place;
    while (std::fgets(line, sizeof(line), pipe))
        if (place.empty() || place.starts_with("builtins.h")) place = line;
    pclose(pipe);
    place.erase(std::min(place.find_first_of(" \n"), place.size()));
    return place.find('?') == std::string::npos ? place : "";
}

std::string index_name(uint3 index) {
    char text[64];
    std::snprintf(text, sizeof(text), "(%u, %u, %u)", index.x, index.y, index.z);
    return text;
}

std::string thread_name(int thread) { return index_name(machine().threads[thread].index); }

std::string place_name(const Place& place) {
    std::string file = place.file_name();
    file.erase(0, file.rfind('/') + 1);
    return file + ":" + std::to_string(place.line());
}

void set_fault(const std::string& text) {
    Machine& m = machine();
    m.fault = function_name(m.kernel->address) + ", block " + index_name(m.block);
    if (m.running >= 0) m.fault += ", thread " + thread_name(m.running);
    m.fault += ": " + text;
}

}  // namespace pyconv::emulation
